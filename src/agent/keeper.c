#include "agent/keeper.h"

#include "agent/collector.h"
#include "agent/report.h"
#include "agent/schedule.h"
#include "agent/state.h"
#include "base/log.h"
#include "os/file.h"
#include "os/loop.h"
#include "os/notify.h"
#include "os/process.h"
#include "os/sandbox.h"
#include "os/shutdown.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PIPE_BYTES = 64 << 10,
    CHEAP_DEADLINE_MS = 60 * 1000,
    DEAR_DEADLINE_MS = 15 * 60 * 1000,
    HAND_ON_MS = 60 * 1000, /* longest that the link may keep us waiting */
    LINK_GRACE_MS = 3000,
    LONGEST_RESTART_MS = 60 * 1000,
};

/* What a section said last, to hand on only what is new; and the paths that it said to watch. */
struct said {
    uint64_t frames, watches; /* hashes; 0: nothing yet */
};

struct look { /* a collector at work */
    struct keeper *keeper;
    bool cheap;
    pid_t pid; /* 0: none */
    int pipe;
    struct mln_loop_source *source, *deadline;
    int64_t since_ms;         /* when the section at hand was begun */
    mln_section_set sections; /* not yet ended */
    struct mln_buf incoming;
    struct mln_buf frames;   /* of the section at hand, to be handed on */
    struct mln_arena *arena; /* of its watches */
    MLN_VEC(struct mln_tree_seen) watches;
    uint64_t watches_hash;
};

struct keeper {
    const struct mln_keeper_setup *setup;
    bool privileged;
    uid_t uid;
    gid_t gid;
    struct mln_loop *loop;
    struct mln_loop_source *tick, *link_source, *watch_source, *restart;
    struct mln_schedule schedule;
    struct mln_watch *watch;
    struct said said[MLN_SECTION_COUNT];
    struct look looks[2]; /* cheap ones; the others, which may take long */
    struct mln_child link;
    bool link_runs;
    unsigned link_failures;
    int64_t link_started_ms;
    struct mln_result failed;
};

static void tick(void *context);
static void start_link(void *context);

/* ---- handing on ---- */

static void link_is_gone(struct keeper *k)
{
    struct mln_process_end end = {0};
    if (!k->link_runs)
        return;
    k->link_runs = false;
    mln_loop_remove(k->link_source);
    k->link_source = NULL;
    mln_child_stop(&k->link, LINK_GRACE_MS);
    MLN_IGNORE(mln_child_wait(&k->link, 0, &end));
    if (mln_monotonic_ms() - k->link_started_ms > LONGEST_RESTART_MS)
        k->link_failures = 0;
    int64_t wait = INT64_C(1000) << (k->link_failures < 6 ? k->link_failures : 6);
    k->link_failures++;
    mln_log(ERROR, "the link has ended; started again in %lld s", (long long)wait / 1000);
    mln_loop_set_timer(k->restart, wait < LONGEST_RESTART_MS ? wait : LONGEST_RESTART_MS, 0);
}

static void hand_on(struct keeper *k, struct mln_str bytes)
{
    int64_t deadline = mln_monotonic_ms() + HAND_ON_MS;
    while (k->link_runs && bytes.n) {
        ssize_t n = send(k->link.socket, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            bytes = mln_str_sub(bytes, (size_t)n, bytes.n);
            continue;
        }
        int64_t left = deadline - mln_monotonic_ms();
        struct pollfd ready = {.fd = k->link.socket, .events = POLLOUT};
        if ((n < 0 && errno != EAGAIN && errno != EINTR) || left <= 0)
            link_is_gone(k);
        else
            poll(&ready, 1, (int)left);
    }
}

/* ---- frames of a collector ---- */

static uint64_t hash_of(struct mln_str bytes)
{
    uint64_t hash = mln_str_hash(bytes);
    return hash ? hash : 1;
}

static void section_ends(struct look *look, enum mln_section section)
{
    struct keeper *k = look->keeper;
    struct said *said = &k->said[section];
    uint64_t frames = hash_of(mln_buf_str(&look->frames));
    if (frames != said->frames && k->link_runs) {
        hand_on(k, mln_buf_str(&look->frames));
        said->frames = frames;
    }
    if (look->watches_hash != said->watches && mln_sections[section].cost != MLN_COST_WALK) {
        struct mln_result r = mln_watch_set(k->watch, section, look->watches.at, look->watches.n);
        if (mln_ok(r))
            said->watches = look->watches_hash;
        else
            mln_log(WARNING, "watching the files of %s: %s", mln_sections[section].name, mln_error_text());
    }
    mln_buf_clear(&look->frames);
    mln_arena_reset(look->arena);
    look->watches.at = NULL;
    look->watches.n = look->watches.cap = 0;
    look->watches_hash = 0;
    look->sections &= ~(UINT64_C(1) << section);
    int64_t now = mln_monotonic_ms();
    mln_log(DEBUG, "%s: %lld ms", mln_sections[section].name, (long long)(now - look->since_ms));
    mln_schedule_done(&k->schedule, section, now, now - look->since_ms);
    look->since_ms = now;
}

static struct mln_result take_watch(struct look *look, const struct mln_frame *frame)
{
    struct mln_tree_seen seen = {.interest = frame->kind == MLN_FRAME_WATCH_READ     ? MLN_TREE_READ
                                             : frame->kind == MLN_FRAME_WATCH_LISTED ? MLN_TREE_LISTED
                                                                                     : MLN_TREE_LOOKED};
    if (look->watches.n == MLN_TREE_MAX_SEEN || memchr(frame->body.p, 0, frame->body.n))
        return MLN_OK;
    look->watches_hash = look->watches_hash * 31 + hash_of(frame->body) + (uint64_t)seen.interest;
    MLN_TRY_STR(look->arena, seen.path, mln_str_dup(look->arena, frame->body));
    return mln_vec_push(look->arena, &look->watches, seen);
}

static struct mln_result take_frame(struct look *look, const struct mln_frame *frame)
{
    if (!(look->sections >> frame->section & 1))
        return mln_fail(MLN_E_CORRUPT, "a frame of a section that was not asked for");
    switch (frame->kind) {
    case MLN_FRAME_VALUE:
    case MLN_FRAME_REASON:
    case MLN_FRAME_LEFT_OUT:
    case MLN_FRAME_NOTE:
        return mln_frame_put(&look->frames, frame->kind, frame->section, frame->body);
    case MLN_FRAME_WATCH_READ:
    case MLN_FRAME_WATCH_LISTED:
    case MLN_FRAME_WATCH_LOOKED:
        return take_watch(look, frame);
    case MLN_FRAME_END:
        section_ends(look, (enum mln_section)frame->section);
        return MLN_OK;
    case MLN_FRAME_ABOUT:
    case MLN_FRAME_KINDS:
        break;
    }
    return mln_fail(MLN_E_CORRUPT, "a frame that a collector does not send");
}

static struct mln_result take_frames(struct look *look)
{
    struct mln_str rest = mln_buf_str(&look->incoming);
    struct mln_frame frame;
    bool whole = true;
    while (rest.n && whole) {
        MLN_TRY(mln_frame_take(&rest, &frame, &whole));
        if (whole)
            MLN_TRY(take_frame(look, &frame));
    }
    memmove(look->incoming.p, rest.p, rest.n);
    look->incoming.n = rest.n;
    return MLN_OK;
}

/* ---- collectors ---- */

/* The collector has ended, well or not: what it owed is said to have failed. */
static void look_ends(struct look *look, const char *problem)
{
    struct keeper *k = look->keeper;
    int status = 0;
    mln_loop_remove(look->source);
    mln_loop_set_timer(look->deadline, -1, 0);
    close(look->pipe);
    if (problem)
        kill(look->pid, SIGKILL);
    while (waitpid(look->pid, &status, 0) < 0 && errno == EINTR)
        ;
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++) {
        if (!(look->sections >> i & 1))
            continue;
        mln_buf_clear(&look->frames);
        mln_log(WARNING, "section %s: %s", mln_sections[i].name, problem ? problem : "the collector ended early");
        struct mln_result r = mln_frame_put(&look->frames, MLN_FRAME_REASON, i,
                                            mln_str_c(problem ? problem : "the collector ended early"));
        look->watches_hash = k->said[i].watches; /* what is watched stays watched */
        if (mln_ok(r))
            section_ends(look, i);
    }
    mln_buf_free(&look->incoming);
    mln_buf_free(&look->frames);
    mln_arena_free(MLN_TAKE(look->arena));
    look->pid = 0;
    tick(k);
}

static void on_pipe(void *context, int fd, unsigned events)
{
    struct look *look = context;
    (void)events;
    struct mln_result r = mln_buf_reserve(&look->incoming, PIPE_BYTES);
    ssize_t n = mln_ok(r) ? read(fd, look->incoming.p + look->incoming.n, PIPE_BYTES) : -1;
    if (mln_ok(r) && n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (mln_ok(r) && n > 0) {
        look->incoming.n += (size_t)n;
        r = take_frames(look);
    }
    if (!mln_ok(r))
        look_ends(look, "the collector said what it may not say");
    else if (n <= 0)
        look_ends(look, NULL);
}

static void on_deadline(void *context)
{
    look_ends(context, "looking took too long");
}

static enum mln_need need_of(mln_section_set sections)
{
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++)
        if (sections >> i & 1)
            return mln_sections[i].need;
    return MLN_NEED_NOTHING;
}

/* The child's life: nothing of the keeper is open in it but the pipe. */
static int collector_life(const struct keeper *k, mln_section_set sections, int pipe)
{
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (pipe != 3 && dup2(pipe, 3) < 0)
        return 1;
    close_range(4, ~0U, 0);
    return mln_collector_main(&(struct mln_collector_setup){.root = k->setup->root,
                                                            .sections = sections,
                                                            .need = need_of(sections),
                                                            .privileged = k->privileged,
                                                            .uid = k->uid,
                                                            .gid = k->gid,
                                                            .pipe = 3});
}

static struct mln_result begin(struct look *look, mln_section_set sections)
{
    struct keeper *k = look->keeper;
    int ends[2];
    look->incoming = MLN_BUF(2 * MLN_FRAME_MAX_BYTES);
    look->frames = MLN_BUF(MLN_FRAME_MAX_BYTES + (64 << 10));
    look->arena = mln_arena_new(8 << 20);
    if (!look->arena)
        return mln_fail(MLN_E_MEMORY, "no memory for a collector");
    if (pipe2(ends, O_CLOEXEC) != 0)
        return mln_fail_errno(errno, "a collector's pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(collector_life(k, sections, ends[1]));
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return mln_fail_errno(errno, "a collector cannot be started");
    }
    look->pid = pid;
    look->pipe = ends[0];
    look->sections = sections;
    look->since_ms = mln_monotonic_ms();
    fcntl(look->pipe, F_SETFL, O_NONBLOCK);
    mln_loop_set_timer(look->deadline, look->cheap ? CHEAP_DEADLINE_MS : DEAR_DEADLINE_MS, 0);
    return mln_loop_add_fd(k->loop, look->pipe, MLN_LOOP_READ, on_pipe, look, &look->source);
}

static void start_look(struct look *look)
{
    struct keeper *k = look->keeper;
    int64_t now = mln_monotonic_ms();
    if (look->pid)
        return;
    mln_section_set sections = mln_schedule_take(&k->schedule, look->cheap, now);
    if (!sections)
        return;
    struct mln_result r = begin(look, sections);
    if (mln_ok(r))
        return;
    mln_log(ERROR, "%s", mln_error_text());
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++)
        if (sections >> i & 1)
            mln_schedule_done(&k->schedule, i, now, 0);
    mln_arena_free(MLN_TAKE(look->arena));
}

static void tick(void *context)
{
    struct keeper *k = context;
    for (size_t i = 0; i < 2; i++)
        start_look(&k->looks[i]);
    int64_t next = mln_schedule_next_ms(&k->schedule), now = mln_monotonic_ms();
    bool busy = k->looks[0].pid && k->looks[1].pid;
    /* A section that is due while its collector is busy is taken up when that ends. */
    int64_t wait = next == INT64_MAX ? -1 : next > now ? next - now : busy ? -1 : 1000;
    mln_loop_set_timer(k->tick, wait, 0);
}

/* ---- changes, orders ---- */

static void changed(struct keeper *k, mln_section_set sections)
{
    if (!sections)
        return;
    mln_schedule_changed(&k->schedule, sections, mln_monotonic_ms());
    tick(k);
}

static void on_watch(void *context, int fd, unsigned events)
{
    struct keeper *k = context;
    (void)fd, (void)events;
    mln_section_set sections = mln_watch_read(k->watch);
    if (sections)
        mln_log(DEBUG, "files have changed of the sections %016llx", (unsigned long long)sections);
    for (enum mln_section i = 0; i < MLN_SECTION_COUNT; i++)
        if (sections >> i & 1)
            k->said[i].watches = 0; /* a directory may be new, or gone: watch anew after the look */
    changed(k, sections);
}

static void on_poll(void *context)
{
    struct keeper *k = context;
    if (mln_watch_needs_polls(k->watch))
        changed(k, mln_watch_poll(k->watch));
}

/* The link has nothing to say: only its end matters. */
static void on_link(void *context, int fd, unsigned events)
{
    struct keeper *k = context;
    char bytes[256];
    (void)events;
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        link_is_gone(k);
}

static void on_stop(void *context, int signal_number)
{
    struct keeper *k = context;
    mln_log(INFO, "stopping (signal %d)", signal_number);
    MLN_IGNORE(mln_notify(MLN_S("STOPPING=1")));
    mln_loop_stop(k->loop);
}

static void on_hangup(void *context, int signal_number)
{
    struct keeper *k = context;
    (void)signal_number;
    mln_log(INFO, "looking at everything");
    mln_schedule_all(&k->schedule, mln_monotonic_ms());
    tick(k);
}

static void on_watchdog(void *context)
{
    (void)context;
    MLN_IGNORE(mln_notify(MLN_S("WATCHDOG=1")));
}

/* ---- the link ---- */

static void start_link(void *context)
{
    struct keeper *k = context;
    /* Program and state by where we stand, not by their paths: an account that may look into neither directory above them
       (a checkout in /root) can run and use both. */
    const char *const argv[] = {"merlon-agent", "link", "--state", ".", NULL};
    struct mln_process process = {.argv = argv,
                                  .program = "/proc/self/exe",
                                  .directory = k->setup->state_directory,
                                  .drop = k->privileged,
                                  .uid = k->uid,
                                  .gid = k->gid};
    MLN_BUF_CLEANUP struct mln_buf about = MLN_BUF(4096);
    struct mln_result r = mln_child_start(&process, &k->link);
    if (mln_ok(r))
        r = mln_loop_add_fd(k->loop, k->link.socket, MLN_LOOP_READ, on_link, k, &k->link_source);
    k->link_started_ms = mln_monotonic_ms();
    if (!mln_ok(r)) {
        mln_log(ERROR, "the link cannot be started: %s", mln_error_text());
        mln_loop_set_timer(k->restart, LONGEST_RESTART_MS, 0);
        return;
    }
    k->link_runs = true;
    if (mln_ok(mln_report_about(&about)))
        hand_on(k, mln_buf_str(&about));
    memset(k->said, 0, sizeof k->said); /* it knows nothing: everything is said again */
    mln_schedule_start(&k->schedule, k->link_started_ms);
    for (size_t i = 0; i < 2; i++) /* what is being looked at is not looked at twice at once */
        for (enum mln_section s = 0; k->looks[i].pid && s < MLN_SECTION_COUNT; s++)
            if (k->looks[i].sections >> s & 1)
                k->schedule.sections[s].started_ms = k->link_started_ms;
    tick(k);
}

/* ---- setting up ---- */

/* Whom the others become: the account that was named, the usual one, or nobody. */
static struct mln_result choose_account(struct keeper *k)
{
    k->privileged = geteuid() == 0;
    k->uid = geteuid();
    k->gid = getegid();
    if (!k->privileged)
        return MLN_OK;
    if (k->setup->user)
        return mln_sandbox_account(k->setup->user, &k->uid, &k->gid);
    if (mln_ok(mln_sandbox_account(MLN_AGENT_USER, &k->uid, &k->gid)))
        return MLN_OK;
    return mln_sandbox_account("nobody", &k->uid, &k->gid);
}

/* What its programs and collectors need, and no more: reading everything, becoming another user, ending what it started,
   and listing the packet filter and the audit rules. */
static struct mln_result give_up_rights(const struct keeper *k)
{
    static const int capabilities[] = {CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE,    CAP_SETUID,
                                       CAP_SETGID,          CAP_SETPCAP,       CAP_KILL,
                                       CAP_NET_ADMIN,       CAP_AUDIT_CONTROL, CAP_NET_RAW};
    if (!k->privileged)
        return mln_sandbox_no_new_privileges();
    MLN_TRY(mln_sandbox_keep_capabilities(capabilities, sizeof capabilities / sizeof *capabilities));
    return mln_sandbox_no_new_privileges();
}

static struct mln_result set_up(struct keeper *k)
{
    const char *root = strcmp(k->setup->root, "/") == 0 ? "" : k->setup->root;
    MLN_TRY(mln_loop_new(&k->loop));
    MLN_TRY(mln_loop_add_signal(k->loop, SIGTERM, on_stop, k, NULL));
    MLN_TRY(mln_loop_add_signal(k->loop, SIGINT, on_stop, k, NULL));
    MLN_TRY(mln_loop_add_signal(k->loop, SIGHUP, on_hangup, k, NULL));
    MLN_TRY(mln_watch_new(root, &k->watch));
    if (mln_watch_fd(k->watch) >= 0)
        MLN_TRY(mln_loop_add_fd(k->loop, mln_watch_fd(k->watch), MLN_LOOP_READ, on_watch, k, &k->watch_source));
    MLN_TRY(mln_loop_add_timer(k->loop, -1, 0, tick, k, &k->tick));
    MLN_TRY(mln_loop_add_timer(k->loop, -1, 0, start_link, k, &k->restart));
    MLN_TRY(mln_loop_add_timer(k->loop, MLN_WATCH_POLL_MS, MLN_WATCH_POLL_MS, on_poll, k, NULL));
    for (size_t i = 0; i < 2; i++) {
        k->looks[i] = (struct look){.keeper = k, .cheap = i == 0};
        MLN_TRY(mln_loop_add_timer(k->loop, -1, 0, on_deadline, &k->looks[i], &k->looks[i].deadline));
    }
    int64_t watchdog = mln_notify_watchdog_ms();
    if (watchdog)
        MLN_TRY(mln_loop_add_timer(k->loop, watchdog, watchdog, on_watchdog, k, NULL));
    return MLN_OK;
}

static struct mln_result run(struct keeper *k)
{
    MLN_TRY(choose_account(k));
    MLN_TRY(set_up(k));
    MLN_TRY(give_up_rights(k));
    mln_log(INFO, "merlon-agent %s, %s, link and collectors as user %u", MLN_VERSION,
            k->privileged ? "root with few capabilities" : "without root: it reports what it can read", k->uid);
    start_link(k);
    MLN_IGNORE(mln_notify(MLN_S("READY=1")));
    return mln_loop_run(k->loop);
}

struct mln_result mln_keeper_run(const struct mln_keeper_setup *setup)
{
    struct keeper k = {.setup = setup};
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(1 << 20);
    struct mln_agent_config config;
    char path[PATH_MAX];
    MLN_FD_CLEANUP int lock = -1;
    if (!arena)
        return mln_fail(MLN_E_MEMORY, "no memory for the agent");
    snprintf(path, sizeof path, "%s/" MLN_STATE_LOCK, setup->state_directory);
    MLN_TRY(mln_state_config(setup->state_directory, arena, &config));
    MLN_TRY(mln_file_lock(path, &lock));
    MLN_TRY(mln_ignore_pipe_signal());
    struct mln_result r = run(&k);
    for (size_t i = 0; i < 2; i++) {
        if (!k.looks[i].pid)
            continue;
        kill(k.looks[i].pid, SIGKILL);
        waitpid(k.looks[i].pid, NULL, 0);
        mln_arena_free(k.looks[i].arena);
        mln_buf_free(&k.looks[i].incoming);
        mln_buf_free(&k.looks[i].frames);
    }
    if (k.link_runs)
        mln_child_stop(&k.link, LINK_GRACE_MS);
    mln_watch_free(k.watch);
    mln_loop_free(k.loop);
    return r;
}
