#include "check.h"

#include "base/fields.h"
#include "base/log.h"

#include <unistd.h>

static char captured[1 << 16];

static int capture_start(int *keep)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    *keep = dup(STDERR_FILENO);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    int fd = dup(fileno(file));
    fclose(file);
    return fd;
}

static void capture_end(int fd, int keep)
{
    dup2(keep, STDERR_FILENO);
    close(keep);
    ssize_t n = pread(fd, captured, sizeof captured - 1, 0);
    close(fd);
    assert_true(n >= 0);
    captured[n] = '\0';
}

static size_t count(const char *part)
{
    size_t n = 0;
    for (const char *at = captured; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

static void a_line_has_time_level_and_program(void **state)
{
    (void)state;
    int keep, fd = capture_start(&keep);
    mln_log_setup("merlond", MLN_LOG_INFO, false);
    mln_log(WARNING, "disk %d%% full", 91);
    mln_log(DEBUG, "not shown");
    capture_end(fd, keep);
    assert_non_null(strstr(captured, "Z warning merlond: disk 91% full\n"));
    assert_int_equal(count("\n"), 1);
}

static void hostile_text_stays_on_its_line(void **state)
{
    (void)state;
    int keep, fd = capture_start(&keep);
    mln_log_setup("merlond", MLN_LOG_INFO, false);
    mln_log(ERROR, "%s", "a\nfake entry\x1b[31m \xC3\xA9 \xFF.\xC3");
    mln_log_setup("merlond", MLN_LOG_INFO, true);
    mln_log(ERROR, "%s", "say \"hi\" \\ \xC3\xA9 \xFF");
    capture_end(fd, keep);
    assert_non_null(strstr(captured, "a\\u000afake entry\\u001b[31m \xC3\xA9 \\u00ff.\\u00c3\n"));
    assert_non_null(strstr(captured,
                           ",\"level\":\"error\",\"program\":\"merlond\",\"text\":\"say \\\"hi\\\" \\\\ \xC3\xA9 "
                           "\\u00ff\"}\n"));
    assert_int_equal(count("\n"), 2);
}

static void a_long_text_still_ends_its_line(void **state)
{
    (void)state;
    char text[1500];
    for (size_t length = 300; length < sizeof text; length++) {
        memset(text, '\x01', length);
        text[length] = '\0';
        struct mln_log_place place = {0};
        int keep, fd = capture_start(&keep);
        mln_log_setup("merlond", MLN_LOG_INFO, true);
        mln_log_line(&place, MLN_LOG_ERROR, "%s", text);
        capture_end(fd, keep);
        size_t n = strlen(captured);
        assert_true(n < 2048);
        assert_string_equal(captured + n - 3, "\"}\n");
    }
}

static void a_noisy_place_is_silenced(void **state)
{
    (void)state;
    struct mln_log_place noisy = {0}, other = {0};
    int keep, fd = capture_start(&keep);
    mln_log_setup("merlond", MLN_LOG_INFO, false);
    for (int i = 0; i < 50; i++)
        mln_log_line(&noisy, MLN_LOG_INFO, "again");
    mln_log_line(&other, MLN_LOG_INFO, "unrelated");
    assert_int_equal(noisy.kept_back, 30);
    noisy.window_ms -= 10000; /* as if ten seconds had passed */
    mln_log_line(&noisy, MLN_LOG_INFO, "after the silence");
    capture_end(fd, keep);
    assert_int_equal(count("again"), 20);
    assert_int_equal(count("unrelated"), 1);
    assert_non_null(strstr(captured, "(30 lines like the next were kept back)\n"));
    assert_non_null(strstr(captured, "after the silence"));
}

static void words_are_found_without_case(void **state)
{
    (void)state;
    static const char *const words[] = {"Low", "High", "", NULL};
    assert_int_equal(mln_word_index(words, MLN_S("hIGH")), 1);
    assert_int_equal(mln_word_index(words, MLN_S("")), 2);
    assert_int_equal(mln_word_index(words, MLN_S("Hig")), -1);
    assert_int_equal(mln_word_index(words, MLN_S("High\0")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_and_program), cmocka_unit_test(hostile_text_stays_on_its_line),
        cmocka_unit_test(a_long_text_still_ends_its_line),   cmocka_unit_test(a_noisy_place_is_silenced),
        cmocka_unit_test(words_are_found_without_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
