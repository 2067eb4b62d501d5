/* Optionals, lists as sets, format(), addresses, base64 and time zones, as rules use them. */
#include "eval.h"

static void optionals(void **state)
{
    static const struct row rows[] = {
        {"facts.?sshd.?installed.orValue(false)", "true"},
        {"facts.?nothing.?below.orValue('none')", "\"none\""},
        {"facts.?nothing.below.hasValue()", "false"},
        {"facts.?sshd.effective.permitrootlogin.value()", "\"no\""},
        {"facts.services[?'ssh.service'].active.orValue('?')", "\"active\""},
        {"facts.services[?'x'].hasValue()", "false"},
        {"facts.?kernel.?secureBoot.hasValue()", "true"},
        {"has(facts.?sshd.installed)", "true"},
        {"has(facts.?nothing.installed)", "false"},
        {"facts.listeners[?7].hasValue()", "false"},
        {"facts.listeners[?1].port", "5432"},
        {"facts.nothing[?0].hasValue()", "false"},
        {"optional.of(1).or(optional.of(1 / facts.users.root.uid)).value()", "1"},
        {"optional.none().orValue(1 / facts.users.root.uid)", "INVALID: 1:27: division by zero"},
        {"optional.none().value()", "INVALID: 1:17: value(): the optional has no value"},
        {"optional.of(2).optMap(x, x * 21).value()", "42"},
        {"optional.none().optMap(x, x + 1).hasValue()", "false"},
        {"facts.?users.optFlatMap(u, u.?root).?uid.value()", "0"},
        {"optional.ofNonZeroValue(facts.users.root.uid).hasValue()", "false"},
        {"optional.ofNonZeroValue(facts.nothing).hasValue()", "false"},
        {"[optional.of(1), optional.none()].unwrapOpt()", "[1]"},
        {"optional.unwrap([optional.of(1), facts.?nothing])", "[1]"},
        {"[?facts.?nothing, 1, ?optional.of(2)]", "[1,2]"},
        {"{?'a': facts.?nothing, 'b': 1, ?'c': facts.?ratio}", "{\"b\":1,\"c\":0.5}"},
        {"[?facts.ratio]", "INVALID: 1:1: found double behind '?', expected an optional"},
        {"[?1]", "INVALID: 1:3: found int behind '?', expected an optional"},
        {"has(facts.?a)", "SYNTAX: 1:12: has() takes a field such as a.b"},
        {"optional.of(1) == optional.of(1.0)", "INVALID: 1:16: '==' is not defined for optional_type(int) and "
                                               "optional_type(double)"},
        {"optional.of(dyn(1)) == optional.of(1.0)", "true"},
        {"type(optional.none()) == optional_type", "true"},
        {"optional.of([1])", "[1]"},
        {"facts.ratio.hasValue()", "INVALID: 1:13: no such overload: hasValue(double)"},
        {"[1, 2].first().value() + [1, 2].last().value()", "3"},
        {"[].first().hasValue()", "false"},
    };
    CHECK(*state, rows);
}

static void lists_and_sets(void **state)
{
    static const struct row rows[] = {
        {"lists.range(3)", "[0,1,2]"},
        {"lists.range(-1)", "INVALID: 1:7: lists.range(): -1 is out of range"},
        {"[1, [2, [3, [4]]]].flatten(2)", "[1,2,3,[4]]"},
        {"[1, [2, [3, [4]]]].flatten(9)", "[1,2,3,4]"},
        {"[[1]].flatten(0)", "[[1]]"},
        {"[[1]].flatten(-1)", "INVALID: 1:7: flatten(): the number of levels is negative"},
        {"facts.listeners.sortBy(l, -l.port).map(l, l.port)", "[5432,22]"},
        {"['bb', 'a', 'cc', 'd'].sortBy(s, s.size())", "[\"a\",\"d\",\"bb\",\"cc\"]"},
        {"[1, 2].sortBy(i, i == 1 ? dyn('a') : dyn(1))",
         "INVALID: 1:8: sortBy(): the keys must all be of one type that has an order"},
        {"facts.nothing.sortBy(i, i)", "INVALID: 1:15: no such overload: sortBy(null_type, list)"},
        {"{'a': 1, 'b': 2}.transformMapEntry(k, v, {v: k})", "{\"1\":\"a\",\"2\":\"b\"}"},
        {"['x', 'y'].transformMapEntry(i, v, i > 0, {v: i})", "{\"y\":1}"},
        {"[1, 2].transformMapEntry(i, v, {'same': v})", "INVALID: 1:8: a key of a map is repeated"},
        {"[1].transformMapEntry(i, v, v)", "INVALID: 1:29: found int, expected a map for each item"},
        {"sets.contains([1, 2, 3], [3, 1])", "true"},
        {"sets.contains([1, 2], [3])", "false"},
        {"sets.equivalent([1, 1, 2], [2, 1])", "true"},
        {"sets.equivalent([1], [1, 2])", "false"},
        {"sets.intersects(facts.sshd.effective.port, [2222])", "true"},
        {"sets.intersects([], [1])", "false"},
        {"base64.encode(b'hello') + string(base64.decode('aGk'))", "\"aGVsbG8=hi\""},
        {"base64.decode('a*==')", "INVALID: 1:8: base64.decode(): not base64 at offset 1"},
        {"cel.block([facts.users, size(cel.index(0))], cel.index(1) + cel.index(1))", "4"},
        {"cel.block(1, 2)", "SYNTAX: 1:11: cel.block() takes a list of its parts first"},
        {"cel.index('a')", "SYNTAX: 1:11: this must be a number such as 0"},
        {"google.protobuf.Int32Value{value: 7}", "7"},
        {"google.protobuf.Int32Value{value: 2147483648}", "INVALID: 1:27: Int32Value: out of range"},
        {"google.protobuf.UInt32Value{value: 4294967296u}", "INVALID: 1:28: UInt32Value: out of range"},
        {"google.protobuf.StringValue{}", "\"\""},
        {"google.protobuf.Timestamp{seconds: 1, nanos: 500000000}", "\"1970-01-01T00:00:01.5Z\""},
        {"google.protobuf.Timestamp{nanos: -1}", "INVALID: 1:26: Timestamp: nanos out of range"},
        {"google.protobuf.Duration{nanos: 1}", "\"0.000000001s\""},
        {"google.protobuf.Duration{seconds: 9223372036854775807}", "INVALID: 1:25: Duration: out of range"},
        {"google.protobuf.Value{null_value: google.protobuf.NullValue.NULL_VALUE}", "null"},
        {"google.protobuf.Value{number_value: 1.5}", "1.5"},
        {"google.protobuf.Struct{fields: {'a': 1}}.a", "1"},
        {"google.protobuf.FloatValue{value: 0.1} == 0.1", "false"},
        {"google.protobuf.Int64Value{values: 1}", "INVALID: 1:27: google.protobuf.Int64Value has no such fields"},
        {"google.protobuf.Int64Value{?value: optional.of(1)}",
         "INVALID: 1:27: google.protobuf.Int64Value has no such fields"},
    };
    CHECK(*state, rows);
}

static void texts_made_of_values(void **state)
{
    static const struct row rows[] = {
        {"'%s has %d of %d (%.1f%%)'.format(['a', 1, 3u, 33.333])", "\"a has 1 of 3 (33.3%)\""},
        {"'%s'.format([[1, 'a', null, {'b': true, 'a': 1.5}]])", "\"[1, a, null, {a: 1.5, b: true}]\""},
        {"'%s %s'.format([duration('90s'), timestamp('2026-01-02T03:04:05Z')])", "\"90s 2026-01-02T03:04:05Z\""},
        {"'%s %s'.format([ip('::1'), cidr('10.0.0.0/8')])", "\"::1 10.0.0.0/8\""},
        {"'%s'.format([optional.none()])", "INVALID: 1:23: found optional_type(dyn), %s takes values that have a text"},
        {"'%d'.format([?optional.of(1)])", "\"1\""},
        {"'%s'.format([[optional.none()]])", "INVALID: 1:6: format(): found optional_type, which has no text"},
        {"'%s|%s|%s|%s'.format([0.1, 1e21, 1.5e-7, -0.0])", "\"0.1|1000000000000000000000|0.00000015|-0\""},
        {"'%s %s %s'.format([1e300 * 1e10, 100.25, 1.0])", "\"Infinity 100.25 1\""},
        {"'%d %d'.format([-5, 2.5])", "\"-5 2.5\""},
        {"'%x %X %x %X'.format([255, -255, 'az', b'\\xff'])", "\"ff -FF 617a FF\""},
        {"'%o %b %b'.format([8, -5, true])", "\"10 -101 1\""},
        {"'%b'.format([-9223372036854775807 - 1])",
         "\"-1000000000000000000000000000000000000000000000000000000000000000\""},
        {"'%e %.0e'.format([1234.5, 2])", "\"1.234500e+03 2e+00\""},
        {"'100%'.format([])", "INVALID: 1:1: '%' is followed by s, d, f, e, x, X, o, b or another '%'"},
        {"'%.f'.format([1.0])", "INVALID: 1:1: a precision is '.' and a number up to 100"},
        {"'%.101f'.format([1.0])", "INVALID: 1:1: a precision is '.' and a number up to 100"},
        {"'%d %d'.format([1])", "INVALID: 1:9: the list has 1 items, the format takes more"},
        {"'%d'.format([1, 2])", "INVALID: 1:17: the list has 2 items, the format takes 1"},
        {"'%d'.format(['a'])", "INVALID: 1:14: found string, %d takes numbers"},
        {"'%f'.format([true])", "INVALID: 1:14: found bool, %f takes numbers"},
        {"'%o'.format([1.5])", "INVALID: 1:14: found double, %o takes integers"},
        {"'%b'.format(['a'])", "INVALID: 1:14: found string, %b takes integers and bools"},
        {"'%x'.format([1.5])", "INVALID: 1:14: found double, %x takes integers, strings and bytes"},
        {"'%d of %s'.format([facts.users.bo.uid, facts.text])", "\"1000 of na\xC3\xAFve\""},
        {"'%d'.format([facts.text])", "INVALID: 1:6: format(): found string, %d takes numbers"},
        {"'%s'.format([b'\\xff'])", "INVALID: 1:6: format(): the bytes are not UTF-8"},
    };
    CHECK(*state, rows);
}

static void addresses(void **state)
{
    static const struct row rows[] = {
        {"isIP('192.0.2.1') && isIP('2001:db8::1') && !isIP('192.0.2.256') && !isIP('')", "true"},
        {"isIP(facts.nothing)", "false"},
        {"isCIDR('192.0.2.0/24') && !isCIDR('192.0.2.0') && !isCIDR('192.0.2.0/33') && !isCIDR('192.0.2.0/08')",
         "true"},
        {"ip('x')", "INVALID: 1:1: ip(): 'x' is no address: expected the form 192.0.2.1 or 2001:db8::1"},
        {"cidr('10.0.0.0/8').containsIP('10.1.2.3')", "true"},
        {"cidr('10.0.0.0/8').containsIP(facts.nothing)", "false"},
        {"cidr('10.0.0.0/8').containsIP('x')",
         "INVALID: 1:20: containsIP(): 'x' is no address: expected the form 192.0.2.1 or 2001:db8::1"},
        {"cidr('10.0.0.0/9').containsCIDR('10.128.0.0/10')", "false"},
        {"cidr('10.0.0.0/9').containsCIDR(cidr('10.64.0.0/10'))", "true"},
        {"string(cidr('10.1.2.3/8').masked()) + ' ' + string(cidr('10.1.2.3/8').ip())", "\"10.0.0.0/8 10.1.2.3\""},
        {"cidr('2001:db8::/33').prefixLength()", "33"},
        {"ip('::ffff:c000:201') == ip('192.0.2.1')", "true"},
        {"ip('2001:DB8:0:0:1:0:0:1')", "\"2001:db8::1:0:0:1\""},
        {"[ip('::1'), ip('127.1.1.1'), ip('10.0.0.1')].map(a, a.isLoopback())", "[true,true,false]"},
        {"ip('10.0.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()", "true"},
        {"isIP(cidr('10.0.0.0/8'))", "INVALID: 1:1: found isIP(net.CIDR), expected isIP(string) -> bool"},
        {"{ip('::1'): 1}", "INVALID: 1:2: a key of a map must be bool, int, uint or string, not net.IP"},
    };
    CHECK(*state, rows);
}

static void zones(void **state)
{
    static const struct row rows[] = {
        {"timestamp('2026-07-01T12:00:00Z').getHours('Europe/Paris')", "14"},
        {"timestamp('2026-01-01T12:00:00Z').getHours('Europe/Paris')", "13"},
        {"timestamp('2090-07-01T12:00:00Z').getHours('Europe/Paris')", "14"},
        {"timestamp('2026-01-01T12:00:00Z').getMinutes('Asia/Kathmandu')", "45"},
        {"[1, 2].all(i, timestamp('2026-01-01T12:00:00Z').getHours('America/New_York') == 7)", "true"},
        {"timestamp('2026-01-01T12:00:00Z').getHours('../../etc/passwd')",
         "INVALID: 1:35: '../../etc/passwd' is not a time zone such as Europe/Paris, UTC or +05:30"},
        {"timestamp('2026-01-01T12:00:00Z').getHours('Europe')",
         "INVALID: 1:35: not a TZif file: no plain file, or too large"},
    };
    CHECK(*state, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVAL_TEST(optionals), EVAL_TEST(lists_and_sets), EVAL_TEST(texts_made_of_values),
        EVAL_TEST(addresses), EVAL_TEST(zones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
