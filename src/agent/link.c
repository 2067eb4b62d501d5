#include "agent/link.h"

#include "agent/sender.h"
#include "base/log.h"
#include "crypto/random.h"
#include "os/file.h"
#include "os/loop.h"
#include "os/sandbox.h"
#include "os/shutdown.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 << 10,
    GATHER_MS = 20,             /* changes that come together are reported together */
    FIRST_WAIT_MS = 120 * 1000, /* longest wait for the first look at everything */
    REFUSED_MS = 5 * 60 * 1000,
    LONGEST_BACKOFF_MS = 5 * 60 * 1000,
    STATUS_MS = 10 * 60 * 1000,
};

struct link {
    const char *directory;
    int socket;
    struct mln_loop *loop;
    struct mln_loop_source *beat_timer, *report_timer;
    struct mln_sender *sender;
    struct mln_report *report;
    struct mln_buf incoming;
    struct mln_orders orders;
    unsigned failures;
    int64_t blocked_until_ms;                      /* monotonic: no exchange before */
    int64_t started_ms, last_report_ms, status_ms; /* monotonic; 0: never */
    int64_t last_contact_ms;                       /* UTC */
    bool changed, want_full, said_down;
    int exit_status;
};

long long mln_link_backoff_ms(unsigned failures, unsigned long long chance)
{
    long long most = 1000;
    for (unsigned i = 1; i < failures && most < LONGEST_BACKOFF_MS; i++)
        most *= 2;
    if (most > LONGEST_BACKOFF_MS)
        most = LONGEST_BACKOFF_MS;
    return most / 2 + (long long)(chance % (unsigned long long)(most / 2 + 1));
}

static uint64_t chance(void)
{
    uint64_t number = 0;
    return mln_ok(mln_random_bytes(&number, sizeof number)) ? number : (uint64_t)mln_monotonic_ms();
}

/* ---- how it fares ---- */

static void write_status(struct link *link, const char *problem)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(64 << 10);
    struct mln_json_writer w = mln_json_writer(&text);
    const struct mln_agent_config *config = mln_sender_config(link->sender);
    w.pretty = true;
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "server", config->server);
    mln_json_member_str(&w, "resourceId", config->resource_id);
    mln_json_member_bool(&w, "connected", !problem);
    mln_json_member_time(&w, "lastContact", link->last_contact_ms);
    mln_json_member_str(&w, "problem", mln_str_c(problem));
    mln_json_member_i64(&w, "failures", link->failures);
    mln_json_member_time(&w, "certificateEnds", mln_sender_certificate_end(link->sender));
    mln_json_member_time(&w, "written", mln_now_ms(&mln_system_clock));
    mln_json_end_object(&w);
    if (mln_ok(mln_json_writer_end(&w)))
        MLN_IGNORE(mln_state_write(link->directory, MLN_STATE_STATUS, mln_buf_str(&text)));
    link->status_ms = mln_monotonic_ms();
}

/* Takes note of how an exchange went. Returns whether it went well. */
static bool note(struct link *link, struct mln_result r, const char *what)
{
    int64_t now = mln_monotonic_ms();
    if (mln_ok(r)) {
        link->last_contact_ms = mln_now_ms(&mln_system_clock);
        if (link->said_down)
            mln_log(INFO, "the server answers again");
        if (link->said_down || !link->status_ms || now - link->status_ms > STATUS_MS)
            write_status(link, NULL);
        link->said_down = false;
        link->failures = 0;
        return true;
    }
    link->failures++;
    int64_t wait = mln_link_backoff_ms(link->failures, chance()), asked = mln_sender_retry_after_ms(link->sender);
    if (asked > wait)
        wait = asked;
    if (r.code == MLN_E_UNAUTHENTICATED && wait < REFUSED_MS)
        wait = REFUSED_MS;
    link->blocked_until_ms = now + wait;
    mln_log(WARNING, "%s: %s; next try in %lld s", what, mln_error_text(), (long long)(wait + 999) / 1000);
    if (!link->said_down)
        write_status(link, mln_error_text());
    link->said_down = true;
    return false;
}

static int64_t blocked_ms(const struct link *link)
{
    int64_t left = link->blocked_until_ms - mln_monotonic_ms();
    return left > 0 ? left : 0;
}

/* ---- what there is to do ---- */

static void plan_beat(struct link *link)
{
    int64_t period = (int64_t)link->orders.heartbeat_seconds * 1000, blocked = blocked_ms(link);
    /* a tenth earlier or later, so that machines that started together do not stay together */
    int64_t wait = period - period / 10 + (int64_t)(chance() % (uint64_t)(period / 5 + 1));
    mln_loop_set_timer(link->beat_timer, blocked > wait ? blocked : link->failures ? blocked + 1 : wait, 0);
}

static void plan_report(struct link *link, int64_t wait_ms)
{
    int64_t blocked = blocked_ms(link);
    mln_loop_set_timer(link->report_timer, blocked > wait_ms ? blocked : wait_ms, 0);
}

static bool is_report_due(const struct link *link)
{
    return !link->last_report_ms ||
           mln_monotonic_ms() - link->last_report_ms >= (int64_t)link->orders.report_seconds * 1000;
}

static void report(void *context)
{
    struct link *link = context;
    bool sent = false;
    if (!mln_report_is_ready(link->report) && mln_monotonic_ms() - link->started_ms < FIRST_WAIT_MS)
        return; /* it is asked again with the next frame, or beat */
    if (blocked_ms(link)) {
        plan_report(link, GATHER_MS);
        return;
    }
    bool was_changed = link->changed, due = is_report_due(link);
    link->changed = false;
    if (!note(link, mln_sender_report(link->sender, link->report, link->want_full, due, &sent), "report")) {
        link->changed = was_changed;
        plan_report(link, GATHER_MS);
        return;
    }
    link->want_full = false;
    if (sent)
        link->last_report_ms = mln_monotonic_ms();
}

static void beat(void *context)
{
    struct link *link = context;
    bool renewed = false;
    if (!blocked_ms(link)) {
        bool good = note(link, mln_sender_beat(link->sender, &link->orders), "heartbeat");
        if (good && note(link, mln_sender_renew_if_due(link->sender, &renewed), "renewal") && renewed)
            mln_log(INFO, "the certificate was renewed");
        link->want_full |= good && link->orders.want_full;
        if (good && (link->changed || link->want_full || is_report_due(link)))
            plan_report(link, 0);
    }
    plan_beat(link);
}

/* ---- what comes from the keeper ---- */

static void stop(struct link *link, int status)
{
    link->exit_status = status;
    mln_loop_stop(link->loop);
}

static struct mln_result take_frames(struct link *link)
{
    struct mln_str rest = mln_buf_str(&link->incoming);
    struct mln_frame frame;
    bool whole = true, changed = false;
    while (rest.n && whole) {
        MLN_TRY(mln_frame_take(&rest, &frame, &whole));
        if (whole)
            MLN_TRY(mln_report_frame(link->report, &frame, &changed));
    }
    memmove(link->incoming.p, rest.p, rest.n);
    link->incoming.n = rest.n;
    if (!rest.n)
        mln_buf_free(&link->incoming); /* between changes it is not needed */
    if (changed) {
        link->changed = true;
        plan_report(link, GATHER_MS);
    }
    return MLN_OK;
}

static void on_socket(void *context, int fd, unsigned events)
{
    struct link *link = context;
    (void)events;
    struct mln_result r = mln_buf_reserve(&link->incoming, READ_BYTES);
    ssize_t n = mln_ok(r) ? recv(fd, link->incoming.p + link->incoming.n, READ_BYTES, MSG_DONTWAIT) : -1;
    if (mln_ok(r) && n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (mln_ok(r) && n <= 0) {
        mln_log(INFO, "the keeper has gone");
        stop(link, 0);
        return;
    }
    if (mln_ok(r)) {
        link->incoming.n += (size_t)n;
        r = take_frames(link);
    }
    if (!mln_ok(r)) {
        mln_log(ERROR, "frames of the keeper: %s", mln_error_text());
        stop(link, 1);
    }
}

static void on_stop(void *context, int signal_number)
{
    (void)signal_number;
    stop(context, 0);
}

/* ---- rights ---- */

struct mln_result mln_link_give_up_rights(const char *directory)
{
    /* names, authorities, libraries that are loaded late */
    static const char *const read[] = {"/etc/ssl",
                                       "/etc/pki",
                                       "/etc/hosts",
                                       "/etc/resolv.conf",
                                       "/etc/nsswitch.conf",
                                       "/etc/host.conf",
                                       "/etc/gai.conf",
                                       "/etc/services",
                                       "/etc/localtime",
                                       "/run/systemd/resolve",
                                       "/run/resolvconf",
                                       "/usr/lib",
                                       "/usr/lib64",
                                       "/lib",
                                       "/lib64",
                                       "/usr/share/ca-certificates",
                                       "/usr/local/share/ca-certificates",
                                       NULL};
    const char *const write[] = {directory, NULL};
    enum mln_sandbox_reach reach;
    MLN_TRY(mln_sandbox_no_dumps());
    MLN_TRY(mln_sandbox_fence(&(struct mln_sandbox_paths){.read = read, .write = write}, &reach));
    MLN_TRY(mln_sandbox_calls(MLN_SANDBOX_LINK));
    mln_log(INFO, "link: fence %s, calls of a network client", mln_sandbox_reach_word(reach));
    return MLN_OK;
}

static struct mln_result run(struct link *link)
{
    MLN_TRY(mln_loop_new(&link->loop));
    MLN_TRY(mln_loop_add_signal(link->loop, SIGTERM, on_stop, link, NULL));
    MLN_TRY(mln_loop_add_signal(link->loop, SIGINT, on_stop, link, NULL));
    MLN_TRY(mln_report_new(&link->report));
    MLN_TRY(mln_link_give_up_rights(link->directory));
    MLN_TRY(mln_sender_open(link->directory, &mln_system_clock, &link->sender));
    const struct mln_agent_config *config = mln_sender_config(link->sender);
    link->orders = (struct mln_orders){config->heartbeat_seconds, config->report_seconds, false};
    MLN_TRY(mln_loop_add_fd(link->loop, link->socket, MLN_LOOP_READ, on_socket, link, NULL));
    MLN_TRY(mln_loop_add_timer(link->loop, FIRST_WAIT_MS, 0, report, link, &link->report_timer));
    MLN_TRY(mln_loop_add_timer(link->loop, 1 + (int64_t)(chance() % 1000), 0, beat, link, &link->beat_timer));
    return mln_loop_run(link->loop);
}

int mln_link_main(const char *state_directory, int socket)
{
    struct link link = {.directory = state_directory, .socket = socket, .incoming = MLN_BUF(2 * MLN_FRAME_MAX_BYTES)};
    mallopt(M_MMAP_THRESHOLD, 64 << 10); /* large blocks go back to the system at once */
    mallopt(M_TRIM_THRESHOLD, 64 << 10);
    link.started_ms = mln_monotonic_ms();
    struct mln_result r = mln_ignore_pipe_signal();
    if (mln_ok(r))
        r = run(&link);
    if (!mln_ok(r)) {
        mln_log(ERROR, "link: %s", mln_error_text());
        link.exit_status = 1;
    }
    mln_sender_close(link.sender);
    mln_report_free(link.report);
    mln_loop_free(link.loop);
    mln_buf_free(&link.incoming);
    return link.exit_status;
}
