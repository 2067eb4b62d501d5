#include "base/log.h"

#include "base/str.h"
#include "base/time.h"

#include <pthread.h>
#include <stdarg.h>
#include <unistd.h>

enum { LINE_BYTES = 2048, WINDOW_MS = 10000, LINES_A_WINDOW = 20 };

static const char *program_name = "merlon";
static enum mln_log_level most_level = MLN_LOG_INFO;
static bool as_json;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void mln_log_setup(const char *program, enum mln_log_level most, bool json)
{
    program_name = program;
    most_level = most;
    as_json = json;
}

/* Appends text to line at *n with control bytes, bytes that are not UTF-8, and for JSON quotes and backslashes, escaped;
   leaves room for the end of the line. */
static void append(char *line, size_t *n, const char *text)
{
    const char *invalid = text + mln_str_utf8_prefix(mln_str_c(text));
    for (; *text && *n + 12 < LINE_BYTES; text++) {
        unsigned char c = (unsigned char)*text;
        bool bad = text == invalid;
        if (bad)
            invalid = text + 1 + mln_str_utf8_prefix(mln_str_c(text + 1));
        if (c < 0x20 || c == 0x7f || bad)
            *n += (size_t)snprintf(line + *n, LINE_BYTES - *n, "\\u%04x", c);
        else if (as_json && (c == '"' || c == '\\'))
            *n += (size_t)snprintf(line + *n, LINE_BYTES - *n, "\\%c", c);
        else
            line[(*n)++] = (char)c;
    }
}

static void write_line(enum mln_log_level level, const char *text)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    char line[LINE_BYTES], when[MLN_TIME_TEXT];
    mln_time_text(mln_now_ms(&mln_system_clock), when);
    int head =
        snprintf(line, sizeof line,
                 as_json ? "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"text\":\"" : "%s %s %s: ", when,
                 names[level], program_name);
    size_t n = (size_t)head;
    append(line, &n, text);
    n += (size_t)snprintf(line + n, sizeof line - n, as_json ? "\"}\n" : "\n");
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written; /* nobody is left to tell */
}

void mln_log_line(struct mln_log_place *place, enum mln_log_level level, const char *format, ...)
{
    if (level > most_level)
        return;
    char text[1536];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pthread_mutex_lock(&lock);
    int64_t now = mln_monotonic_ms();
    if (now - place->window_ms >= WINDOW_MS) {
        if (place->kept_back) {
            char note[96];
            snprintf(note, sizeof note, "(%u lines like the next were kept back)", place->kept_back);
            write_line(level, note);
        }
        *place = (struct mln_log_place){.window_ms = now};
    }
    if (place->lines < LINES_A_WINDOW) {
        place->lines++;
        write_line(level, text);
    } else {
        place->kept_back++;
    }
    pthread_mutex_unlock(&lock);
}
