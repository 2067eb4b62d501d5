#include "merlon/input.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>

enum { CHUNK_BYTES = 1 << 16, TYPED_BYTES = 1024 };

/* Appends what is to be had from fd, up to its end or to the first byte that ends. */
static struct mln_result read_up_to(int fd, struct mln_str name, int ends, struct mln_buf *out)
{
    for (;;) {
        size_t room = out->max_bytes - out->n;
        room = room == 0            ? 1
               : room < CHUNK_BYTES ? room
                                    : CHUNK_BYTES; /* 1 where it is full: fails when there is more */
        MLN_TRY(mln_buf_reserve(out, room));
        ssize_t got = read(fd, out->p + out->n, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return mln_fail_errno(errno, "%.*s", MLN_FMT(name));
        if (got == 0)
            return MLN_OK;
        out->n += (size_t)got;
        if (ends && memchr(out->p + out->n - got, ends, (size_t)got))
            return MLN_OK;
    }
}

static struct mln_result read_input(struct mln_invocation *in, struct mln_str name, int ends, struct mln_buf *out)
{
    MLN_FD_CLEANUP int opened = -1;
    int fd = STDIN_FILENO;
    if (!mln_str_eq(name, MLN_S("-"))) {
        const char *path = mln_str_z(in->arena, name);
        if (!path)
            return mln_arena_failure(in->arena);
        fd = opened = open(path, O_RDONLY | O_CLOEXEC);
        if (opened < 0)
            return mln_fail_errno(errno, "%s", path);
    }
    return read_up_to(fd, name, ends, out);
}

struct mln_result mln_input_read(struct mln_invocation *in, struct mln_str name, struct mln_buf *out)
{
    return read_input(in, name, 0, out);
}

/* ---- secrets ---- */

static volatile sig_atomic_t interrupted_by;

static void note_signal(int number)
{
    interrupted_by = number;
}

/* Shows the prompt and waits for a line that is typed but not shown; bytes, or -1. The signals that end or stop a program
   are held meanwhile and come in at the wait alone (usual: the mask there), so that the terminal is always put back. */
static ssize_t read_hidden(const struct mln_invocation *in, const char *what, const sigset_t *usual, char *line,
                           size_t size)
{
    struct termios shown, quiet;
    struct pollfd terminal = {.fd = STDIN_FILENO, .events = POLLIN};
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return -1;
    quiet = shown;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    fprintf(in->err, "%c%s: ", what[0] & ~0x20, what + 1);
    fflush(in->err);
    ssize_t got = ppoll(&terminal, 1, NULL, usual) == 1 ? read(STDIN_FILENO, line, size) : -1;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fprintf(in->err, "\n");
    return got;
}

static struct mln_result read_quietly(const struct mln_invocation *in, const char *what, struct mln_buf *out)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP};
    enum { SIGNALS = sizeof signals / sizeof *signals };
    struct sigaction before[SIGNALS];
    const struct sigaction note = {.sa_handler = note_signal};
    sigset_t held, usual;
    char line[TYPED_BYTES];
    sigemptyset(&held);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&held, signals[i]);
    interrupted_by = 0;
    sigprocmask(SIG_BLOCK, &held, &usual);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &note, &before[i]);
    ssize_t got = read_hidden(in, what, &usual, line, sizeof line);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
    sigprocmask(SIG_SETMASK, &usual, NULL);
    if (interrupted_by)
        raise(interrupted_by);
    struct mln_result r;
    if (got <= 0)
        r = mln_fail(MLN_E_INVALID, "nothing was typed");
    else if (line[got - 1] != '\n')
        r = mln_fail(MLN_E_LIMIT, "that is more than %d characters", TYPED_BYTES - 1);
    else
        r = mln_buf_append(out, (struct mln_str){line, (size_t)got});
    explicit_bzero(line, sizeof line);
    return r;
}

/* Cuts the buffer after its first line, whose end goes too. */
static void keep_first_line(struct mln_buf *buf)
{
    size_t n = 0;
    while (n < buf->n && buf->p[n] != '\n' && buf->p[n] != '\r')
        n++;
    if (buf->p && n < buf->n)
        explicit_bzero(buf->p + n, buf->n - n);
    buf->n = n;
}

struct mln_result mln_input_secret(struct mln_invocation *in, struct mln_str file, const char *what,
                                   struct mln_buf *out)
{
    if (file.p) {
        MLN_TRY(read_input(in, file, '\n', out));
    } else if (isatty(STDIN_FILENO)) {
        MLN_TRY(read_quietly(in, what, out));
    } else {
        return mln_misuse(in, "no terminal to ask for the %s on: use --secret-file FILE (- is standard input)", what);
    }
    keep_first_line(out);
    return out->n ? MLN_OK : mln_fail(MLN_E_INVALID, "the %s is empty", what);
}
