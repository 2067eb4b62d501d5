#include "agent/report.h"

#include <pwd.h>
#include <unistd.h>

enum { MAX_REASON_BYTES = 256 };

struct note {
    char *member, *reason;
};
struct section {
    char *value; /* JSON text; NULL: none */
    size_t n;
    char *reason;
    int64_t left_out;
    struct note notes[MLN_FACTS_MAX_NOTES];
    size_t n_notes;
};
struct mln_report {
    struct section sections[MLN_SECTION_COUNT];
    char *about; /* JSON: version, user and rights of who collects; NULL: not said */
};

struct mln_result mln_report_new(struct mln_report **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? MLN_OK : mln_fail(MLN_E_MEMORY, "no memory for a report");
}

static void forget_details(struct section *s)
{
    free(s->reason);
    s->reason = NULL;
    for (size_t i = 0; i < s->n_notes; i++) {
        free(s->notes[i].member);
        free(s->notes[i].reason);
    }
    s->n_notes = 0;
    s->left_out = 0;
}

void mln_report_free(struct mln_report *report)
{
    if (!report)
        return;
    for (size_t i = 0; i < MLN_SECTION_COUNT; i++) {
        forget_details(&report->sections[i]);
        free(report->sections[i].value);
    }
    free(report->about);
    free(report);
}

static struct mln_result copy(struct mln_str s, char **out)
{
    *out = malloc(s.n + 1);
    if (!*out)
        return mln_fail(MLN_E_MEMORY, "no memory for %zu bytes of a report", s.n);
    if (s.n)
        memcpy(*out, s.p, s.n);
    (*out)[s.n] = 0;
    return MLN_OK;
}

static struct mln_result take_value(struct section *s, struct mln_str value, bool *changed)
{
    forget_details(s);
    if (s->value && mln_str_eq((struct mln_str){s->value, s->n}, value))
        return MLN_OK;
    char *fresh;
    MLN_TRY(copy(value, &fresh));
    free(s->value);
    s->value = fresh;
    s->n = value.n;
    *changed = true;
    return MLN_OK;
}

static struct mln_result take_reason(struct section *s, struct mln_str reason, bool *changed)
{
    *changed |= s->value || !s->reason || !mln_str_eq(mln_str_c(s->reason), reason);
    forget_details(s);
    free(s->value);
    s->value = NULL;
    return copy(mln_str_sub(reason, 0, MAX_REASON_BYTES), &s->reason);
}

static struct mln_result take_note(struct section *s, struct mln_str body)
{
    struct mln_str member;
    if (s->n_notes == MLN_FACTS_MAX_NOTES || !mln_str_cut(&body, '\0', &member))
        return MLN_OK;
    struct note *note = &s->notes[s->n_notes];
    MLN_TRY(copy(member, &note->member));
    struct mln_result r = copy(body, &note->reason);
    if (mln_ok(r))
        s->n_notes++;
    else
        free(note->member);
    return r;
}

static struct mln_result take_about(struct mln_report *report, struct mln_str json, bool *changed)
{
    char *fresh;
    if (report->about && mln_str_eq(mln_str_c(report->about), json))
        return MLN_OK;
    MLN_TRY(copy(json, &fresh));
    free(report->about);
    report->about = fresh;
    *changed = true;
    return MLN_OK;
}

struct mln_result mln_report_frame(struct mln_report *report, const struct mln_frame *frame, bool *changed)
{
    if (frame->section >= MLN_SECTION_COUNT)
        return mln_fail(MLN_E_CORRUPT, "no section %u", frame->section);
    struct section *s = &report->sections[frame->section];
    int64_t number;
    switch (frame->kind) {
    case MLN_FRAME_VALUE:
        return take_value(s, frame->body, changed);
    case MLN_FRAME_REASON:
        return take_reason(s, frame->body, changed);
    case MLN_FRAME_NOTE:
        return take_note(s, frame->body);
    case MLN_FRAME_LEFT_OUT:
        MLN_TRY(mln_str_to_i64(frame->body, &number));
        s->left_out = number;
        return MLN_OK;
    case MLN_FRAME_ABOUT:
        return take_about(report, frame->body, changed);
    case MLN_FRAME_WATCH_READ:
    case MLN_FRAME_WATCH_LISTED:
    case MLN_FRAME_WATCH_LOOKED:
    case MLN_FRAME_END:
    case MLN_FRAME_KINDS:
        break;
    }
    return MLN_OK;
}

bool mln_report_is_ready(const struct mln_report *report)
{
    for (size_t i = 0; i < MLN_SECTION_COUNT; i++)
        if (!report->sections[i].value && !report->sections[i].reason && mln_sections[i].cost != MLN_COST_WALK)
            return false;
    return true;
}

static void write_errors(const struct mln_report *report, struct mln_json_writer *w)
{
    mln_json_name(w, MLN_S("errors"));
    mln_json_begin_object(w);
    for (size_t i = 0; i < MLN_SECTION_COUNT; i++) {
        const struct section *s = &report->sections[i];
        if (!s->value)
            mln_json_member_str(w, mln_sections[i].name, s->reason ? mln_str_c(s->reason) : MLN_S("not yet looked at"));
        for (size_t k = 0; k < s->n_notes; k++)
            mln_json_member_str(w, s->notes[k].member, mln_str_c(s->notes[k].reason));
    }
    mln_json_end_object(w);
    mln_json_name(w, MLN_S("truncated"));
    mln_json_begin_object(w);
    for (size_t i = 0; i < MLN_SECTION_COUNT; i++)
        if (report->sections[i].left_out)
            mln_json_member_i64(w, mln_sections[i].name, report->sections[i].left_out);
    mln_json_end_object(w);
}

struct mln_result mln_report_write(const struct mln_report *report, int64_t collected_ms, enum mln_section only,
                                   struct mln_buf *out)
{
    struct mln_json_writer w = mln_json_writer(out);
    if (only < MLN_SECTION_COUNT) {
        const struct section *s = &report->sections[only];
        if (!s->value)
            return mln_fail(MLN_E_NOT_FOUND, "%s: %s", mln_sections[only].name,
                            s->reason ? s->reason : "not looked at");
        mln_json_put_raw(&w, (struct mln_str){s->value, s->n});
        return mln_json_writer_end(&w);
    }
    mln_json_begin_object(&w);
    mln_json_member_time(&w, "collected", collected_ms);
    if (report->about) {
        mln_json_name(&w, MLN_S("agent"));
        mln_json_put_raw(&w, mln_str_c(report->about));
    }
    for (size_t i = 0; i < MLN_SECTION_COUNT; i++) {
        const struct section *s = &report->sections[i];
        if (!s->value)
            continue;
        mln_json_name(&w, mln_str_c(mln_sections[i].name));
        mln_json_put_raw(&w, (struct mln_str){s->value, s->n});
    }
    write_errors(report, &w);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

/* ---- collecting ---- */

static struct mln_result put_details(struct mln_facts *f, enum mln_section section, struct mln_buf *frames)
{
    char text[512];
    for (size_t i = 0; i < f->n_notes; i++) {
        int n = snprintf(text, sizeof text, "%.*s%c%.*s", MLN_FMT(f->notes[i].member), 0, MLN_FMT(f->notes[i].reason));
        MLN_TRY(mln_frame_put(frames, MLN_FRAME_NOTE, section, (struct mln_str){text, (size_t)n}));
    }
    if (!f->left_out)
        return MLN_OK;
    snprintf(text, sizeof text, "%zu", f->left_out);
    return mln_frame_put(frames, MLN_FRAME_LEFT_OUT, section, mln_str_c(text));
}

static struct mln_result put_watches(struct mln_tree *tree, enum mln_section section, struct mln_buf *frames)
{
    static const enum mln_frame_kind kinds[] = {[MLN_TREE_READ] = MLN_FRAME_WATCH_READ,
                                                [MLN_TREE_LISTED] = MLN_FRAME_WATCH_LISTED,
                                                [MLN_TREE_LOOKED] = MLN_FRAME_WATCH_LOOKED};
    for (size_t i = 0; i < tree->seen.n; i++)
        MLN_TRY(mln_frame_put(frames, kinds[tree->seen.at[i].interest], section, tree->seen.at[i].path));
    return MLN_OK;
}

struct mln_result mln_report_collect(struct mln_facts *f, enum mln_section section, bool with_watches,
                                     struct mln_buf *frames)
{
    MLN_BUF_CLEANUP struct mln_buf value = MLN_BUF(MLN_FACTS_MAX_SECTION_BYTES);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *seen = with_watches ? mln_arena_new(4 << 20) : NULL;
    f->n_notes = 0;
    mln_tree_record(f->tree, seen);
    struct mln_result r = mln_section_collect(f, section, &value);
    r = mln_ok(r) ? mln_frame_put(frames, MLN_FRAME_VALUE, section, mln_buf_str(&value))
                  : mln_frame_put(frames, MLN_FRAME_REASON, section, mln_str_c(mln_error_text()));
    if (mln_ok(r))
        r = put_details(f, section, frames);
    if (mln_ok(r))
        r = put_watches(f->tree, section, frames);
    mln_tree_record(f->tree, NULL);
    MLN_TRY(r);
    return mln_frame_put(frames, MLN_FRAME_END, section, MLN_S(""));
}

struct mln_result mln_report_about(struct mln_buf *frames)
{
    static const char *const marks[] = {"/.dockerenv", "/run/.containerenv", "/run/systemd/container"};
    MLN_BUF_CLEANUP struct mln_buf json = MLN_BUF(4096);
    struct mln_json_writer w = mln_json_writer(&json);
    struct passwd entry, *user = NULL;
    char memory[4096], number[16];
    bool contained = false;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        contained |= access(marks[i], F_OK) == 0;
    snprintf(number, sizeof number, "%u", geteuid());
    bool known = getpwuid_r(geteuid(), &entry, memory, sizeof memory, &user) == 0 && user;
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "version", MLN_S(MLN_VERSION));
    mln_json_member_str(&w, "user", mln_str_c(known ? user->pw_name : number));
    mln_json_member_bool(&w, "root", geteuid() == 0);
    mln_json_member_bool(&w, "containerised", contained);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    return mln_frame_put(frames, MLN_FRAME_ABOUT, 0, mln_buf_str(&json));
}
