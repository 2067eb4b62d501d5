"""Reads the CEL conformance suite (text protocol buffers in a .tar.zst) and prints one JSON line a case.

    cel_spec.py TESTDATA.tar.zst

A line: {"id": "file/section/test", "expr", "container", "unchecked", "variables": {name: type}, "functions": [{"name",
"method", "takes": [types], "gives": type}], "bindings": {name: value}, "type": the static type, "value": value or "error":
true or "check_only": true}. A value is an object of one member: null, bool, int, uint, double (all as text), string, bytes
(hex), list, map (pairs), type, timestamp or duration ([seconds, nanoseconds]). A type is a text, "map(string, int)". Cases
that need protocol buffer messages or enums are counted and left out; the last line tells how many: {"left_out": n}.
"""
import io
import json
import re
import subprocess
import sys
import tarfile

TOKEN = re.compile(r'''\s+|\#[^\n]*|(?P<name>[A-Za-z_][\w./]*)|(?P<number>[-+]?(?:\d|\.\d|inf|nan)[\w.+-]*)|
                       (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<sign>[{}<>\[\]:,;-])''', re.X)
SIMPLE = {'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11}


def tokens(source):
    at = 0
    while at < len(source):
        match = TOKEN.match(source, at)
        if not match:
            raise ValueError(f'cannot read: {source[at:at + 40]!r}')
        at = match.end()
        if match.lastgroup:
            yield match.lastgroup, match.group()
    yield 'end', ''


def unescape(quoted):
    """The bytes of a text literal."""
    out, body, i = bytearray(), quoted[1:-1], 0
    while i < len(body):
        if body[i] != '\\':
            out += body[i].encode()
            i += 1
            continue
        kind = body[i + 1]
        if kind in 'xX':
            digits = re.match(r'[0-9a-fA-F]{1,2}', body[i + 2:]).group()
            out.append(int(digits, 16))
            i += 2 + len(digits)
        elif kind in 'uU':
            size = 4 if kind == 'u' else 8
            out += chr(int(body[i + 2:i + 2 + size], 16)).encode()
            i += 2 + size
        elif kind in '01234567':
            digits = re.match(r'[0-7]{1,3}', body[i + 1:]).group()
            out.append(int(digits, 8))
            i += 1 + len(digits)
        else:
            out.append(SIMPLE.get(kind, ord(kind)))
            i += 2
    return bytes(out)


class Reader:
    """Messages become lists of (name, value); scalars text or bytes."""

    def __init__(self, source):
        self.tokens = tokens(source)
        self.kind, self.text = next(self.tokens, ('end', ''))

    def take(self):
        taken = self.kind, self.text
        self.kind, self.text = next(self.tokens, ('end', ''))
        return taken

    def message(self, close):
        fields = []
        while self.text != close and self.kind != 'end':
            name = self.field_name()
            if self.text == ':':
                self.take()
            for value in self.values():
                fields.append((name, value))
            if self.text in (',', ';'):
                self.take()
        self.take()
        return fields

    def field_name(self):
        if self.text != '[':
            return self.take()[1]
        self.take()
        name = self.take()[1]
        self.take()
        return '[' + name + ']'

    def values(self):
        if self.text != '[':
            return [self.value()]
        self.take()
        found = []
        while self.text != ']':
            found.append(self.value())
            if self.text == ',':
                self.take()
        self.take()
        return found

    def value(self):
        if self.text in ('{', '<'):
            return self.message('}' if self.take()[1] == '{' else '>')
        kind, text = self.take()
        if text == '-':
            return '-' + self.take()[1]
        if kind != 'text':
            return text
        joined = unescape(text)
        while self.kind == 'text':
            joined += unescape(self.take()[1])
        return joined


def one(fields, name, default=None):
    for key, value in fields:
        if key == name:
            return value
    return default


def every(fields, name):
    return [value for key, value in fields if key == name]


class NeedsProto(Exception):
    pass


def value_of(fields):
    if len(fields) != 1:
        raise NeedsProto
    name, value = fields[0]
    if name == 'string_value':
        return {'string': value.decode()}
    if name == 'bytes_value':
        return {'bytes': value.hex()}
    if name in ('int64_value', 'uint64_value', 'double_value'):
        return {name.split('_')[0].replace('64', ''): value}
    if name == 'bool_value':
        return {'bool': value == 'true'}
    if name == 'null_value':
        return {'null': True}
    if name == 'type_value':
        return {'type': value.decode()}
    if name == 'list_value':
        return {'list': [value_of(v) for v in every(value, 'values')]}
    if name == 'map_value':
        return {'map': [[value_of(one(e, 'key')), value_of(one(e, 'value'))] for e in every(value, 'entries')]}
    if name == 'object_value':
        kind, inner = value[0]
        for known in ('Timestamp', 'Duration'):
            if kind == f'[type.googleapis.com/google.protobuf.{known}]':
                return {known.lower(): [one(inner, 'seconds', '0'), one(inner, 'nanos', '0')]}
    raise NeedsProto


def type_of(fields):
    """A type as text; abstract types and parameters by their names."""
    if not fields:
        return 'dyn'
    kind, inner = fields[0]
    if kind == 'primitive':
        return {'INT64': 'int', 'UINT64': 'uint'}.get(inner, inner.lower())
    if kind == 'well_known':
        return {'TIMESTAMP': 'google.protobuf.Timestamp', 'DURATION': 'google.protobuf.Duration'}.get(inner, 'dyn')
    if kind == 'list_type':
        return f"list({type_of(one(inner, 'elem_type', []))})"
    if kind == 'map_type':
        return f"map({type_of(one(inner, 'key_type', []))}, {type_of(one(inner, 'value_type', []))})"
    if kind == 'abstract_type':
        parameters = ', '.join(type_of(t) for t in every(inner, 'parameter_types'))
        return one(inner, 'name').decode() + (f'({parameters})' if parameters else '')
    if kind == 'type_param':
        return inner.decode()
    return {'null': 'null_type', 'type': 'type'}.get(kind, 'dyn')


def functions_of(test):
    for declaration in every(test, 'type_env'):
        for line in every(one(declaration, 'function', []), 'overloads'):
            yield {'name': one(declaration, 'name').decode(), 'method': one(line, 'is_instance_function') == 'true',
                   'takes': [type_of(t) for t in every(line, 'params')], 'gives': type_of(one(line, 'result_type'))}


MESSAGES = re.compile(rb'TestAllTypes|NestedTestAllTypes|TestRequired|GlobalEnum|NestedEnum|proto[23]?\.\w*Ext|'
                      rb'google\.protobuf\.(?!Timestamp\b|Duration\b)|TestMap\b|\bproto\.(hasExt|getExt)')


def case_of(test):
    expr = one(test, 'expr')
    if MESSAGES.search(expr) or MESSAGES.search(one(test, 'container', b'')) and re.search(rb'[A-Z]\w*\s*\{', expr):
        raise NeedsProto
    case = {'expr': expr.decode(), 'container': one(test, 'container', b'').decode(),
            'unchecked': one(test, 'disable_check') == 'true'}
    case['variables'] = {one(declaration, 'name').decode(): type_of(one(one(declaration, 'ident'), 'type', []))
                         for declaration in every(test, 'type_env') if one(declaration, 'ident') is not None}
    case['functions'] = list(functions_of(test))
    if re.search(r"'(message_type|wrapper|enum_value)'", repr(test)):
        raise NeedsProto
    typed = one(test, 'typed_result')
    if typed:
        case['type'] = type_of(one(typed, 'deduced_type', []))
    if one(test, 'check_only') == 'true':
        case['check_only'] = True
        return case
    case['bindings'] = {}
    for binding in every(test, 'bindings'):
        value = one(one(binding, 'value'), 'value')
        if value is None:
            raise NeedsProto
        case['bindings'][one(binding, 'key').decode()] = value_of(value)
    result = one(test, 'value')
    if result is None and typed:
        result = one(typed, 'result')
    if one(test, 'eval_error') is not None or one(test, 'any_eval_errors') is not None:
        case['error'] = True
    elif result is None:
        case['value'] = {'bool': True}
    else:
        case['value'] = value_of(result)
    return case


def main():
    raw = subprocess.run(['zstd', '-dc', sys.argv[1]], check=True, stdout=subprocess.PIPE).stdout
    archive = tarfile.open(fileobj=io.BytesIO(raw))
    left_out, seen = 0, {}
    for member in sorted(archive.getmembers(), key=lambda m: m.name):
        if not member.name.endswith('.textproto'):
            continue
        file = Reader(archive.extractfile(member).read().decode()).message('')
        for section in every(file, 'section'):
            for test in every(section, 'test'):
                name = '/'.join(x.decode() for x in (one(file, 'name'), one(section, 'name'), one(test, 'name')))
                seen[name] = seen.get(name, 0) + 1
                try:
                    case = case_of(test)
                except NeedsProto:
                    left_out += 1
                    continue
                case['id'] = name if seen[name] == 1 else f'{name}#{seen[name]}'
                print(json.dumps(case))
    print(json.dumps({'left_out': left_out}))


if __name__ == '__main__':
    main()
