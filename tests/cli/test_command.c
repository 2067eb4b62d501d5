/* Command lines, taken apart by tables. */
#include "tables.h"

#include <unistd.h>

enum { MOST_WORDS = 16 };

static struct mln_arena *arena;
static bool help;
static struct mln_str about;

static int set_up(void **state)
{
    (void)state;
    arena = mln_arena_new(1 << 20);
    outcome = MLN_E_OK;
    outcome_exit = MLN_EXIT_OK;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mln_arena_free(arena);
    return 0;
}

/* A copy that may be written to, as main's words may. */
static char *word_of(struct mln_str text)
{
    char *copy = mln_arena_alloc(arena, text.n + 1);
    assert_non_null(copy);
    if (text.n)
        memcpy(copy, text.p, text.n);
    return copy;
}

/* Splits a line at its blanks; "_" stands for an empty word. */
static int split(const char *line, char **argv)
{
    struct mln_str rest = mln_str_c(line), word;
    int argc = 1;
    argv[0] = word_of(MLN_S("orchard"));
    while (*line && mln_str_cut(&rest, ' ', &word))
        argv[argc++] = word_of(mln_str_eq(word, MLN_S("_")) ? MLN_S("") : word);
    return argc;
}

static struct mln_result parse(const char *line, struct mln_invocation *out)
{
    char *argv[MOST_WORDS];
    int argc = split(line, argv);
    *out = (struct mln_invocation){.cli = &orchard, .arena = arena};
    return mln_command_parse(argc, argv, out, &help, &about);
}

static void a_line_is_command_options_and_arguments(void **state)
{
    (void)state;
    struct mln_invocation in;
    assert_ok(parse("fruit a.json --colour red -n 7 --from=x --from y - --since 2026-01-01T00:00:00Z -rs b.json", &in));
    assert_false(help);
    assert_ptr_equal(in.command, &fruit);
    assert_int_equal(in.n_arguments, 3);
    assert_str(in.arguments[0], "a.json");
    assert_str(in.arguments[1], "-");
    assert_str(in.arguments[2], "b.json");
    assert_str(mln_option_value(&in, "colour"), "red");
    assert_int_equal(mln_option_number(&in, "count", 3), 7);
    assert_int_equal(mln_option_time(&in, "since", 0), INT64_C(1767225600000));
    assert_str(mln_option_value(&in, "from"), "y"); /* the last one */
    assert_true(mln_option_given(&in, "ripe") && mln_option_given(&in, "sweet"));
    assert_false(mln_option_given(&in, "json"));
    size_t froms = 0;
    for (size_t i = 0; i < in.n_given; i++)
        froms += strcmp(in.given[i].option->name, "from") == 0;
    assert_int_equal(froms, 2);
    assert_ok(parse("fruit -n 7 -n 8 -r -r", &in));
    assert_int_equal(mln_option_number(&in, "count", 3), 8);
}

static void what_is_not_given_has_its_default(void **state)
{
    (void)state;
    struct mln_invocation in;
    assert_ok(parse("fruit", &in));
    assert_int_equal(in.n_arguments, 0);
    assert_int_equal(mln_option_number(&in, "count", 3), 3);
    assert_int_equal(mln_option_time(&in, "since", 5), 5);
    assert_null(mln_option_value(&in, "colour").p);
}

static void values_are_attached_or_follow(void **state)
{
    (void)state;
    struct mln_invocation in;
    static const char *const lines[] = {"fruit -n7",       "fruit -n 7",  "fruit --count=7",
                                        "fruit --count 7", "fruit -rsn7", "fruit -rsn 7"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_ok(parse(lines[i], &in));
        assert_int_equal(mln_option_number(&in, "count", 3), 7);
    }
    assert_ok(parse("tree show oak --server=", &in)); /* an empty text is a text */
    assert_non_null(mln_option_value(&in, "server").p);
    assert_int_equal(mln_option_value(&in, "server").n, 0);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct mln_invocation in;
    assert_ok(parse("fruit -r -- --help -n", &in));
    assert_false(help);
    assert_int_equal(in.n_arguments, 2);
    assert_str(in.arguments[0], "--help");
}

static void any_number_of_arguments(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    char *argv[MANY];
    struct mln_invocation in = {.cli = &orchard, .arena = arena};
    for (int i = 0; i < MANY; i++)
        argv[i] = word_of(i == 1 ? MLN_S("fruit") : MLN_S("x"));
    assert_ok(mln_command_parse(MANY, argv, &in, &help, &about));
    assert_int_equal(in.n_arguments, MANY - 2);
}

static void wrong_lines_say_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } wrong[] = {
        {"", "a command is expected"},
        {"--json", "a command is expected"},
        {"friut", "did you mean 'fruit'"},
        {"tree shwo", "did you mean 'tree show'"},
        {"tere show", "did you mean 'tree show'"},
        {"fly away", "there is no command 'fly'"},
        {"tree", "'tree' needs a second word"},
        {"tree --json", "'tree' needs a second word"},
        {"tree show", "something is missing: orchard tree show NAME"},
        {"tree show a b c", "'c' is one argument too many"},
        {"tree grow ash", "'ash' is none of: oak elm"},
        {"version x", "'x' is one argument too many"},
        {"fruit --color red", "no option --color (did you mean 'colour'?)"},
        {"fruit -x", "no option -x"},
        {"fruit -rx", "no option -x"},
        {"fruit --server s", "takes no --server"},
        {"man --json", "takes no --json"},
        {"fruit --ripe=yes", "--ripe takes no value"},
        {"fruit --colour", "--colour needs a value: WORD"},
        {"fruit -n", "--count needs a value: N"},
        {"fruit --colour blue", "--colour must be one of: red green"},
        {"fruit -n 0", "--count takes a whole number from 1 to 10"},
        {"fruit -n 11", "--count takes a whole number from 1 to 10"},
        {"fruit -n x", "--count takes a whole number"},
        {"fruit --since yesterday", "--since takes a time"},
        {"fruit --from _", "--from needs a value"},
        {"fly --help", "there is no command 'fly'"},
        {"help fly", "there is no command 'fly'"},
        {"--version now", "a command is expected"},
    };
    struct mln_invocation in;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_fails(INVALID, parse(wrong[i].line, &in));
        assert_error_has(wrong[i].says);
    }
}

static void help_is_asked_for_in_many_ways(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const struct mln_command *command;
        const char *about;
    } asked[] = {
        {"--help", NULL, NULL},
        {"-h", NULL, NULL},
        {"help", NULL, NULL},
        {"fruit --help", &fruit, NULL},
        {"fruit -n wrong -h", &fruit, NULL},
        {"help fruit", &fruit, NULL},
        {"tree show --help", &tree_show, NULL},
        {"tree --help", NULL, "tree"},
        {"help tree", NULL, "tree"},
        {"--help tree grow", &tree_grow, NULL},
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct mln_invocation in;
        assert_ok(parse(asked[i].line, &in));
        assert_true(help);
        assert_ptr_equal(in.command, asked[i].command);
        if (asked[i].about)
            assert_str(about, asked[i].about);
        else
            assert_null(about.p);
    }
}

static void the_version_is_also_an_option(void **state)
{
    (void)state;
    struct mln_invocation in;
    assert_ok(parse("--version", &in));
    assert_ptr_equal(in.command, &mln_command_version);
}

static void a_command_takes_its_own_options_then_shared_ones_then_help(void **state)
{
    (void)state;
    assert_string_equal(mln_command_option(&orchard, &fruit, 0)->name, "colour");
    assert_string_equal(mln_command_option(&orchard, &fruit, 7)->name, "json");
    assert_string_equal(mln_command_option(&orchard, &fruit, 8)->name, "help");
    assert_null(mln_command_option(&orchard, &fruit, 9));
    assert_string_equal(mln_command_option(&orchard, &tree_show, 0)->name, "server");
    assert_string_equal(mln_command_option(&orchard, &misused, 0)->name, "help");
}

static void orders_to_a_terminal_become_blanks(void **state)
{
    (void)state;
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {"plain", "plain"},
        {"\033[31mred\r\n\x7f", " [31mred   "},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8d\x8e", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8d\x8e"},
        {"\xc2\x9b"
         "31m\xc2\xa0",
         "  31m\xc2\xa0"}, /* a C1 control, and a letter beside them */
        {"\x9b\xff\xc3(", "?"
                          "?"
                          "?("},
        {"\xe2\x82", "??"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", cases[i].text);
        mln_clean(text, strlen(text));
        assert_string_equal(text, cases[i].clean);
    }
    mln_clean(NULL, 0);
}

static void cleaned_text_is_clean_whatever_it_was(void **state)
{
    (void)state;
    uint64_t chance = 7;
    for (int round = 0; round < 2000; round++) {
        char text[32];
        size_t n = check_below(&chance, sizeof text);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)check_random(&chance);
        mln_clean(text, n);
        assert_true(mln_str_is_utf8((struct mln_str){text, n}));
        for (size_t i = 0; i < n; i++)
            assert_true((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
    }
}

/* ---- the whole way ---- */

/* Runs the program; what it says goes to text. */
static int run(const char *line, const struct mln_cli *cli, char *text, size_t size)
{
    char *argv[MOST_WORDS];
    int argc = split(line, argv);
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    fflush(stderr);
    int out = dup(1), err = dup(2);
    dup2(fileno(file), 1);
    dup2(fileno(file), 2);
    int status = mln_cli_main(cli, argc, argv, NULL);
    fflush(stdout);
    fflush(stderr);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = 0;
    fclose(file);
    return status;
}

static void a_run_ends_with_a_status_and_one_line(void **state)
{
    (void)state;
    static const struct {
        enum mln_code code;
        int status;
    } failures[] = {
        {MLN_E_OK, 0},     {MLN_E_NOT_FOUND, 3}, {MLN_E_UNAUTHENTICATED, 4}, {MLN_E_FORBIDDEN, 4}, {MLN_E_TIMEOUT, 5},
        {MLN_E_CLOSED, 5}, {MLN_E_BUSY, 5},      {MLN_E_INVALID, 1},         {MLN_E_CONFLICT, 1},  {MLN_E_IO, 1}};
    char text[4096];
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        outcome = failures[i].code;
        assert_int_equal(run("fruit a b", &orchard, text, sizeof text), failures[i].status);
        assert_non_null(strstr(text, "2 fruits\n"));
        assert_int_equal(strstr(text, "orchard: it  [31mfailed\n") != NULL, outcome != MLN_E_OK);
    }
    outcome = MLN_E_OK;
    outcome_exit = MLN_EXIT_FAILED;
    assert_int_equal(run("fruit", &orchard, text, sizeof text), 1);
    assert_int_equal(run("misused", &orchard, text, sizeof text), 2);
    assert_string_equal(text, "orchard: apples and pears do not go together\n");
    assert_int_equal(run("fly", &orchard, text, sizeof text), 2);
    assert_int_equal(run("--help", &orchard, text, sizeof text), 0);
}

static struct mln_result unprepared(struct mln_invocation *in)
{
    assert_ptr_equal(in->command, &fruit);
    return mln_fail(MLN_E_NOT_FOUND, "the configuration is not there");
}

static void what_cannot_be_prepared_is_a_wrong_command_line(void **state)
{
    (void)state;
    struct mln_cli cli = orchard;
    char text[256];
    cli.prepare = unprepared;
    assert_int_equal(run("fruit", &cli, text, sizeof text), 2);
    assert_string_equal(text, "orchard: the configuration is not there\n");
    assert_int_equal(run("fruit --help", &cli, text, sizeof text), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_command_options_and_arguments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_given_has_its_default, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_attached_or_follow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_dashes_end_the_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_number_of_arguments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_lines_say_what_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(help_is_asked_for_in_many_ways, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_version_is_also_an_option, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_command_takes_its_own_options_then_shared_ones_then_help, set_up, tear_down),
        cmocka_unit_test(orders_to_a_terminal_become_blanks),
        cmocka_unit_test(cleaned_text_is_clean_whatever_it_was),
        cmocka_unit_test_setup_teardown(a_run_ends_with_a_status_and_one_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_prepared_is_a_wrong_command_line, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
