/* What a program says of itself: help, man page, completion. That the shell and groff take it is tested in e2e. */
#include "tables.h"

static char text[65536];

static FILE *begin(void)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    return file;
}

static void end(FILE *file)
{
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
}

#define assert_has(part)                                                                                               \
    do {                                                                                                               \
        if (!strstr(text, part))                                                                                       \
            fail_msg("no \"%s\" in:\n%s", part, text);                                                                 \
    } while (0)
#define assert_has_not(part) assert_null(strstr(text, part))

static void help_of_all_lists_what_is_to_be_seen(void **state)
{
    (void)state;
    FILE *file = begin();
    mln_help(&orchard, NULL, (struct mln_str){NULL, 0}, file);
    end(file);
    assert_has("orchard " MLN_VERSION ": a program for tests\n\nUsage: orchard COMMAND [options]\n");
    assert_has("\n  fruit FILE...             Counts fruit\n");
    assert_has("\n  tree show NAME            One tree\n");
    assert_has("That is all.");
    assert_has_not("secret");
}

static void help_about_a_word_lists_its_commands(void **state)
{
    (void)state;
    FILE *file = begin();
    mln_help(&orchard, NULL, MLN_S("tree"), file);
    end(file);
    assert_has("tree show NAME");
    assert_has("tree grow");
    assert_has_not("fruit");
}

static void help_of_a_command_tells_of_each_option(void **state)
{
    (void)state;
    FILE *file = begin();
    mln_help(&orchard, &fruit, (struct mln_str){NULL, 0}, file);
    end(file);
    assert_has("Counts fruit\n\nUsage: orchard fruit FILE... [options]\n");
    assert_has("\n  -c, --colour WORD           only this colour: red green\n");
    assert_has("\n  -n, --count N               how many [3]\n");
    assert_has("\n      --from FILE             lists of them (may be repeated)\n");
    assert_has("\n  -j, --json                  answer as JSON\n");
    assert_has("\n  -h, --help ");
    assert_has("\nExample:\n  .fruit \\ -n 3\n");
    assert_has_not("--server");
}

static void long_help_is_broken_between_words(void **state)
{
    (void)state;
    char words[600] = "";
    for (size_t n = 0; n + 8 < sizeof words;)
        n += (size_t)snprintf(words + n, sizeof words - n, "%slength", n ? " " : "");
    const struct mln_option options[] = {
        {.name = "a-name-that-is-longer-than-the-column", .value = "VALUE", .help = words}};
    const struct mln_command command = {.words = "x", .summary = "X", MLN_OPTIONS(options)};
    FILE *file = begin();
    mln_help(&orchard, &command, (struct mln_str){NULL, 0}, file);
    end(file);
    struct mln_str rest = mln_str_c(text), line;
    while (mln_str_cut(&rest, '\n', &line))
        assert_true(line.n <= 100);
    assert_has("--a-name-that-is-longer-than-the-column VALUE\n                              length");
}

static void the_man_page_has_its_parts(void **state)
{
    (void)state;
    FILE *file = begin();
    mln_man(&orchard, file);
    end(file);
    assert_has(".TH ORCHARD 8 \"\" \"orchard " MLN_VERSION
               "\" \"System Administration\"\n.SH NAME\norchard \\- a program for tests\n");
    assert_has(".SS orchard tree show NAME\nOne tree.\n");
    assert_has(".TP\n.B \\-n, \\-\\-count N\nhow many [3]\n");
    assert_has("\\&'ripe' ones only"); /* a line that begins with a quote is a request to roff */
    assert_has("\n  .fruit \\e \\-n 3\n");
    assert_has("\\-\\-server URL\nwhich server\n.br\nCommands: tree show, tree grow.\n");
    assert_has(".SH FILES\n/etc/orchard\n");
    assert_has_not("secret");
}

static void bash_completes_from_the_tables(void **state)
{
    (void)state;
    FILE *file = begin();
    mln_completion_bash(&orchard, file);
    end(file);
    assert_has("words='fruit tree misused completion man version help' options='--help --version'");
    assert_has("'fruit --colour' | 'fruit -c') words='red green' ;;");
    assert_has("'fruit --in') files='-d' ;;");
    assert_has("'tree') words='show grow ' options='--help' ;;");
    assert_has("'tree grow') words='oak elm ' options='--server --json --help' files='' ;;");
    assert_has("'fruit') words=' ' options='--colour ");
    assert_has("'tree show' | 'tree grow')");
    assert_has("complete -F _orchard orchard\n");
    assert_has_not("secret");
}

static void zsh_completes_from_the_tables(void **state)
{
    (void)state;
    FILE *file = begin();
    mln_completion_zsh(&orchard, file);
    end(file);
    assert_has("#compdef orchard\n");
    assert_has("'--colour=[only this colour]:WORD:(red green)'");
    assert_has("'*--from=[lists of them]:FILE:_files'");
    assert_has("'--ripe['\\''ripe'\\'' ones only\\: no \\[green\\]]'");
    assert_true(strstr(text, "'tree show'*)") < strstr(text, "'fruit'*)")); /* the longer pattern comes first */
    assert_has_not("secret");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_of_all_lists_what_is_to_be_seen),
        cmocka_unit_test(help_about_a_word_lists_its_commands),
        cmocka_unit_test(help_of_a_command_tells_of_each_option),
        cmocka_unit_test(long_help_is_broken_between_words),
        cmocka_unit_test(the_man_page_has_its_parts),
        cmocka_unit_test(bash_completes_from_the_tables),
        cmocka_unit_test(zsh_completes_from_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
