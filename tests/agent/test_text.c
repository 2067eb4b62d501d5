#include "check.h"

#include "agent/linux/crontab.h"
#include "agent/linux/text.h"
#include "arena.h"

static void lines_are_trimmed_and_counted(void **state)
{
    (void)state;
    struct mln_str rest = MLN_S("  a \r\n\n# comment\n;also\nb"), line;
    uint32_t number = 0;
    assert_true(mln_text_line(&rest, &line, &number));
    assert_str(line, "a");
    assert_true(mln_text_setting(&rest, &line, &number));
    assert_str(line, "b");
    assert_int_equal(number, 5);
    assert_false(mln_text_line(&rest, &line, &number));
    rest = MLN_S("");
    assert_false(mln_text_line(&rest, &line, NULL));
}

static void words_and_pairs_are_taken_apart(void **state)
{
    (void)state;
    struct mln_str rest = MLN_S("  one\ttwo  "), word, key, value;
    assert_true(mln_text_word(&rest, &word));
    assert_str(word, "one");
    assert_true(mln_text_word(&rest, &word));
    assert_str(word, "two");
    assert_false(mln_text_word(&rest, &word));
    assert_true(mln_text_pair(MLN_S(" a = b = c "), '=', &key, &value));
    assert_str(key, "a");
    assert_str(value, "b = c");
    assert_false(mln_text_pair(MLN_S("= b"), '=', &key, &value));
    assert_false(mln_text_pair(MLN_S("none"), '=', &key, &value));
}

static void quotes_and_comments_are_taken_off(void **state)
{
    (void)state;
    assert_str(mln_text_unquote(MLN_S("\"a b\"")), "a b");
    assert_str(mln_text_unquote(MLN_S("'x'")), "x");
    assert_str(mln_text_unquote(MLN_S("\"x'")), "\"x'");
    assert_str(mln_text_unquote(MLN_S("\"")), "\"");
    assert_str(mln_text_uncomment(MLN_S("a \"#\" b # c")), "a \"#\" b");
    assert_str(mln_text_uncomment(MLN_S("# all")), "");
}

static void values_have_kinds(void **state)
{
    (void)state;
    uint32_t mode;
    assert_true(mln_text_true(MLN_S("Yes"), false));
    assert_false(mln_text_true(MLN_S("nein"), true));
    assert_true(mln_text_true((struct mln_str){NULL, 0}, true));
    assert_int_equal(mln_text_i64(MLN_S("-7"), 0), -7);
    assert_int_equal(mln_text_i64(MLN_S("7 apples"), 3), 3);
    assert_true(mln_text_octal(MLN_S("0640"), &mode));
    assert_int_equal(mode, 0640);
    assert_false(mln_text_octal(MLN_S("888"), &mode));
    assert_false(mln_text_octal(MLN_S(""), &mode));
    assert_false(mln_text_octal(MLN_S("00000000"), &mode));
}

static void patterns_are_the_shells(void **state)
{
    (void)state;
    assert_true(mln_text_glob(MLN_S("*.conf"), MLN_S("a.conf")));
    assert_true(mln_text_glob(MLN_S("ssh_host_?[sd]a_key"), MLN_S("ssh_host_rsa_key")));
    assert_false(mln_text_glob(MLN_S("*.conf"), MLN_S("a.conf~")));
    char longer[400];
    memset(longer, 'a', sizeof longer);
    assert_false(mln_text_glob((struct mln_str){longer, sizeof longer}, MLN_S("a")));
}

static void ini_files_have_sections(void **state)
{
    (void)state;
    struct mln_str text = MLN_S("a=0\n[One]\na=1\n[two]\na=2\na = 3\n"), none = {NULL, 0};
    assert_str(mln_text_ini(text, MLN_S("one"), MLN_S("A")), "1");
    assert_str(mln_text_ini(text, MLN_S("two"), MLN_S("a")), "3");
    assert_str(mln_text_ini(text, none, MLN_S("a")), "3");
    assert_null(mln_text_ini(text, MLN_S("two"), MLN_S("b")).p);
    assert_str(mln_text_ini(MLN_S("a=\n"), none, MLN_S("a")), "");
}

static void secrets_are_masked(void **state)
{
    (void)state;
    static const struct {
        const char *command, *shown;
    } cases[] = {
        {"backup --password=hunter2 --all", "backup --password=*** --all"},
        {"curl -H X --token abc123 https://h/", "curl -H X --token *** https://h/"},
        {"DB_PASSWORD=x run", "DB_PASSWORD=*** run"},
        {"mysql://root:secret@db/x", "mysql://***@db/x"},
        {"curl https://host/path", "curl https://host/path"},
        {"find / -name passwords", "find / -name passwords"},
        {"api_key: 12345 go", "api_key:*** go"},
        {"echo hello", "echo hello"},
        {"--secret", "--secret"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_str(mln_text_mask(arena, mln_str_c(cases[i].command), 200), cases[i].shown);
}

static void masked_commands_are_bounded(void **state)
{
    (void)state;
    assert_str(mln_text_mask(arena, MLN_S("abcdefgh"), 5), "abcde");
    assert_str(mln_text_mask(arena, MLN_S("--password=x"), 4), "--pa");
    assert_str(mln_text_mask(arena, MLN_S("a://u:p@h"), 3), "a:/");
}

static void crontab_lines_become_jobs(void **state)
{
    (void)state;
    struct mln_str rest = MLN_S("SHELL=/bin/sh\n# m h\n*/5 * * * * root run  this\n@daily www tidy\n1 2 3 4\n"
                                "MAILTO = x\n0 0 1 1 * root\n");
    struct mln_cron_job job;
    uint32_t line = 0;
    assert_true(mln_crontab_next(&rest, true, &line, &job));
    assert_str(job.schedule, "*/5 * * * *");
    assert_str(job.user, "root");
    assert_str(job.command, "run  this");
    assert_int_equal(job.line, 3);
    assert_true(mln_crontab_next(&rest, true, &line, &job));
    assert_str(job.schedule, "@daily");
    assert_str(job.user, "www");
    assert_false(mln_crontab_next(&rest, true, &line, &job)); /* the others are no jobs */
    rest = MLN_S("0 0 * * * root-like command");
    line = 0;
    assert_true(mln_crontab_next(&rest, false, &line, &job));
    assert_null(job.user.p);
    assert_str(job.command, "root-like command");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(lines_are_trimmed_and_counted),
        with_arena(words_and_pairs_are_taken_apart),
        with_arena(quotes_and_comments_are_taken_off),
        with_arena(values_have_kinds),
        with_arena(patterns_are_the_shells),
        with_arena(ini_files_have_sections),
        with_arena(secrets_are_masked),
        with_arena(masked_commands_are_bounded),
        with_arena(crontab_lines_become_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
