#include "check.h"

#include "agent/linux/sudoers.h"
#include "arena.h"
#include "os/scratch.h"

static struct mln_sudoers parse(const char *text)
{
    struct mln_sudoers out;
    assert_ok(mln_sudoers_parse(mln_str_c(text), arena, &out));
    return out;
}

static struct mln_str commands(const struct mln_sudo_rule *rule)
{
    return joined(rule->commands.items.at, rule->commands.items.n);
}

static void a_rule_has_its_parts(void **state)
{
    (void)state;
    struct mln_sudoers s = parse("root ALL=(ALL:ALL) ALL\n%wheel  web1, web2 = (www) NOPASSWD: /bin/a, /bin/b -x\n");
    assert_int_equal(s.rules.n, 2);
    assert_int_equal(s.unparsed.n, 0);
    assert_str(s.rules.at[0].who, "root");
    assert_str(s.rules.at[0].run_as, "ALL:ALL");
    assert_false(s.rules.at[0].nopasswd);
    assert_str(s.rules.at[1].who, "%wheel");
    assert_str(s.rules.at[1].hosts, "web1, web2");
    assert_str(s.rules.at[1].run_as, "www");
    assert_str(commands(&s.rules.at[1]), "/bin/a|/bin/b -x");
    assert_true(s.rules.at[1].nopasswd);
    assert_int_equal(s.rules.at[1].line, 2);
}

static void tags_and_runas_carry_over_and_change(void **state)
{
    (void)state;
    struct mln_sudoers s = parse("anna ALL = NOPASSWD: /a, /b, PASSWD: /c, (www) NOEXEC: /d : host2 = /e\n");
    assert_int_equal(s.rules.n, 4);
    assert_str(commands(&s.rules.at[0]), "/a|/b");
    assert_true(s.rules.at[0].nopasswd);
    assert_null(s.rules.at[0].run_as.p);
    assert_str(commands(&s.rules.at[1]), "/c");
    assert_false(s.rules.at[1].nopasswd);
    assert_str(s.rules.at[2].run_as, "www");
    assert_str(commands(&s.rules.at[2]), "/d");
    assert_str(s.rules.at[3].hosts, "host2");
    assert_null(s.rules.at[3].run_as.p);
}

static void aliases_are_written_out(void **state)
{
    (void)state;
    struct mln_sudoers s = parse("User_Alias ADMINS = anna, ben : OPS = %ops\n"
                                 "Cmnd_Alias SHELLS = /bin/sh, /bin/bash\n"
                                 "Cmnd_Alias ALLOWED = ALL, !SHELLS\n"
                                 "Runas_Alias DB = postgres\n"
                                 "Host_Alias WEB = web1, web2\n"
                                 "ADMINS, OPS WEB = (DB) ALLOWED\n");
    assert_int_equal(s.rules.n, 1);
    assert_str(s.rules.at[0].who, "anna, ben, %ops");
    assert_str(s.rules.at[0].hosts, "web1, web2");
    assert_str(s.rules.at[0].run_as, "postgres");
    assert_str(commands(&s.rules.at[0]), "ALL|!/bin/sh|!/bin/bash");
}

static void aliases_that_name_each_other_end(void **state)
{
    (void)state;
    struct mln_sudoers s = parse("Cmnd_Alias A = B\nCmnd_Alias B = A\nx ALL = A\n");
    assert_int_equal(s.rules.n, 1);
    s = parse("Cmnd_Alias E =\nx ALL = E\n"); /* an empty one is none */
    assert_int_equal(s.unparsed.n, 1);
    assert_str(commands(&s.rules.at[0]), "E");
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1 << 20);
    for (char c = 'A'; c < 'M'; c++) { /* each names the next one many times */
        assert_ok(mln_buf_printf(&text, "Cmnd_Alias %c = ", c));
        for (int i = 0; i < 100; i++)
            assert_ok(mln_buf_printf(&text, "%s%c", i ? "," : "", c + 1));
        assert_ok(mln_buf_byte(&text, '\n'));
    }
    assert_ok(mln_buf_append(&text, MLN_S("x ALL = A\n")));
    s = parse(text.p);
    assert_int_equal(s.rules.at[0].commands.items.n, MLN_SUDOERS_MAX_ITEMS);
}

static void defaults_are_flags_values_and_scoped(void **state)
{
    (void)state;
    struct mln_sudoers s = parse("Defaults use_pty, !lecture, logfile=\"/var/log/sudo.log\", timestamp_timeout = 5\n"
                                 "Defaults:anna !authenticate\n"
                                 "Defaults!/bin/x noexec\n"
                                 "Defaults env_keep += \"A B\"\n"
                                 "anna ALL=ALL\nben ALL=ALL\n");
    assert_int_equal(s.defaults.n, 7);
    assert_str(s.defaults.at[0].name, "use_pty");
    assert_null(s.defaults.at[0].value.p);
    assert_true(s.defaults.at[1].negated);
    assert_str(s.defaults.at[2].value, "/var/log/sudo.log");
    assert_str(s.defaults.at[3].name, "timestamp_timeout");
    assert_str(s.defaults.at[3].value, "5");
    assert_str(s.defaults.at[4].scope, ":anna");
    assert_str(s.defaults.at[5].scope, "!/bin/x");
    assert_str(s.defaults.at[6].name, "env_keep");
    assert_str(s.defaults.at[6].value, "A B");
    assert_true(s.rules.at[0].noauthenticate);
    assert_false(s.rules.at[1].noauthenticate);
}

static void a_global_default_takes_authentication_from_all(void **state)
{
    (void)state;
    struct mln_sudoers s = parse("anna ALL=ALL\nDefaults !authenticate\n");
    assert_true(s.rules.at[0].noauthenticate);
}

static void comments_continuations_and_escapes(void **state)
{
    (void)state;
    struct mln_sudoers s = parse("# a comment\nanna ALL = /bin/a, \\\n   /bin/b # more\n#1000 ALL = ALL\n"
                                 "ben ALL = /bin/c \\#x, sha224:abc /bin/d \\: e\n"
                                 "\"a b\" ALL = ALL\nd\\,e ALL = ALL\r\n");
    assert_int_equal(s.unparsed.n, 0);
    assert_str(commands(&s.rules.at[0]), "/bin/a|/bin/b");
    assert_int_equal(s.rules.at[0].line, 2);
    assert_str(s.rules.at[1].who, "#1000");
    assert_str(commands(&s.rules.at[2]), "/bin/c \\#x|sha224:abc /bin/d \\: e");
    assert_str(s.rules.at[3].who, "a b");
    assert_str(s.rules.at[4].who, "d\\,e");
}

static void what_is_not_understood_is_listed(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "anna",       "anna ALL",       "anna ALL = ", "= ALL",     "anna ALL = (www ALL",
        "anna ALL=,", "User_Alias A B", "Defaults ,",  "Defaultsx", "anna ALL = ALL : "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct mln_sudoers s = parse(wrong[i]);
        if (s.unparsed.n != 1)
            fail_msg("\"%s\" gave %zu places", wrong[i], s.unparsed.n);
        assert_int_equal(s.unparsed.at[0].line, 1);
    }
}

static void options_before_a_command_are_passed_over(void **state)
{
    (void)state;
    struct mln_sudoers s = parse("anna ALL = TIMEOUT=5m CWD=/tmp NOPASSWD: SETENV: /bin/a\n");
    assert_int_equal(s.rules.n, 1);
    assert_str(commands(&s.rules.at[0]), "/bin/a");
    assert_true(s.rules.at[0].nopasswd);
}

/* ---- includes ---- */

static int set_up(void **state)
{
    return arena_setup(state) || scratch_setup(state) ? -1 : mkdir(in_scratch("d"), 0755);
}

static int tear_down(void **state)
{
    arena_teardown(state);
    return scratch_teardown(state);
}

static struct mln_result read_sudoers(struct mln_sudoers *out)
{
    struct mln_tree tree;
    MLN_TRY(mln_tree_open(scratch, &tree));
    struct mln_result r = mln_sudoers_read(&tree, "/sudoers", arena, out);
    mln_tree_close(&tree);
    return r;
}

static void includes_are_followed(void **state)
{
    (void)state;
    struct mln_sudoers s;
    scratch_file("sudoers", "a ALL=ALL\n@include more\n#includedir /d\n@include /gone\n");
    scratch_file("more", "b ALL=ALL\n");
    scratch_file("d/20", "d ALL=ALL\n");
    scratch_file("d/10", "c ALL=ALL\n");
    scratch_file("d/30.bak", "x ALL=ALL\n");
    scratch_file("d/30~", "x ALL=ALL\n");
    assert_ok(read_sudoers(&s));
    assert_int_equal(s.rules.n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(s.rules.at[i].who.p[0], "abcd"[i]);
    assert_str(s.rules.at[1].file, "/more");
    assert_str(s.rules.at[2].file, "/d/10");
    assert_int_equal(s.unparsed.n, 1); /* the one that is gone */
    assert_int_equal(s.unparsed.at[0].line, 4);
}

static void a_file_that_includes_itself_is_refused(void **state)
{
    (void)state;
    struct mln_sudoers s;
    scratch_file("sudoers", "@include sudoers\n@include sudoers\n");
    assert_fails(LIMIT, read_sudoers(&s));
    assert_int_equal(remove(in_scratch("sudoers")), 0);
    assert_fails(NOT_FOUND, read_sudoers(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(a_rule_has_its_parts),
        with_arena(tags_and_runas_carry_over_and_change),
        with_arena(aliases_are_written_out),
        with_arena(aliases_that_name_each_other_end),
        with_arena(defaults_are_flags_values_and_scoped),
        with_arena(a_global_default_takes_authentication_from_all),
        with_arena(comments_continuations_and_escapes),
        with_arena(what_is_not_understood_is_listed),
        with_arena(options_before_a_command_are_passed_over),
        cmocka_unit_test_setup_teardown(includes_are_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_includes_itself_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
