#include "agent/linux/facts.h"

#include "agent/linux/names.h"
#include "agent/linux/text.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/timex.h>
#include <unistd.h>

const struct mln_section_row mln_sections[MLN_SECTION_COUNT] = {
#define S(name, need, cost, period) {#name, mln_collect_##name, MLN_NEED_##need, MLN_COST_##cost, period},
    MLN_SECTIONS(S)
#undef S
};

enum mln_section mln_section_find(struct mln_str name)
{
    enum mln_section i = 0;
    while (i < MLN_SECTION_COUNT && !mln_str_eq(name, mln_str_c(mln_sections[i].name)))
        i++;
    return i;
}

struct mln_result mln_section_collect(struct mln_facts *f, enum mln_section section, struct mln_buf *out)
{
    mln_arena_reset(f->arena);
    f->names = NULL;
    f->left_out = 0;
    size_t before = out->n;
    struct mln_json_writer w = mln_json_writer(out);
    struct mln_result r = mln_sections[section].collect(f, &w);
    if (mln_ok(r))
        r = mln_json_writer_end(&w);
    if (!mln_ok(r)) {
        out->n = before;
        if (out->p)
            out->p[before] = 0;
    }
    return r;
}

void mln_facts_ask_clock(struct mln_facts *f)
{
    struct timex now = {0};
    int state = f->tree->live ? adjtimex(&now) : -1;
    f->clock_state = state < 0                                           ? MLN_CLOCK_UNKNOWN
                     : state != TIME_ERROR && !(now.status & STA_UNSYNC) ? MLN_CLOCK_SYNCHRONISED
                                                                         : MLN_CLOCK_FREE;
}

struct mln_result mln_facts_need_live(const struct mln_facts *f)
{
    return f->tree->live ? MLN_OK : mln_fail(MLN_E_UNSUPPORTED, "only the running machine can tell");
}

void mln_facts_note(struct mln_facts *f, const char *member, const char *reason)
{
    if (f->n_notes < MLN_FACTS_MAX_NOTES)
        f->notes[f->n_notes++] = (struct mln_note){mln_str_c(member), mln_str_c(reason)};
}

bool mln_facts_room(struct mln_facts *f, size_t n, size_t max)
{
    if (n < max)
        return true;
    f->left_out++;
    return false;
}

bool mln_facts_any_file(struct mln_facts *f, const char *const *paths)
{
    for (; *paths; paths++)
        if (mln_tree_exists(f->tree, *paths))
            return true;
    return false;
}

int64_t mln_facts_running(struct mln_facts *f, const char *const *names)
{
    int fd;
    if (!f->tree->live || !mln_ok(mln_tree_fd(f->tree, "/proc", O_DIRECTORY, &fd)))
        return 0;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return 0;
    }
    int64_t found = 0;
    struct dirent *entry;
    while (!found && (entry = readdir(dir))) {
        char path[300], comm[64];
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(path, sizeof path, "%s/comm", entry->d_name);
        int file = openat(fd, path, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            continue;
        ssize_t n = read(file, comm, sizeof comm);
        close(file);
        struct mln_str name = mln_str_trim((struct mln_str){comm, n > 0 ? (size_t)n : 0});
        for (size_t i = 0; names[i] && !found; i++)
            if (mln_str_eq(name, mln_str_sub(mln_str_c(names[i]), 0, 15))) /* the kernel keeps 15 bytes */
                found = mln_text_i64(mln_str_c(entry->d_name), 0);
    }
    closedir(dir);
    return found;
}

void mln_facts_member_running(struct mln_facts *f, struct mln_json_writer *w, const char *const *names)
{
    if (f->tree->live)
        mln_json_member_bool(w, "running", mln_facts_running(f, names) != 0);
}

void mln_facts_member_mode(struct mln_facts *f, struct mln_json_writer *w, const char *name, const char *path)
{
    struct stat st;
    bool exists = mln_tree_stat(f->tree, path, true, &st);
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_object(w);
    mln_json_member_bool(w, "exists", exists);
    if (exists) {
        mln_facts_member_octal(w, "mode", st.st_mode & 07777);
        mln_json_member_str(w, "owner", mln_names_user(f, st.st_uid));
    }
    mln_json_end_object(w);
}

void mln_facts_member_strings(struct mln_json_writer *w, const char *name, const struct mln_str *at, size_t n)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        mln_json_put_str(w, at[i]);
    mln_json_end_array(w);
}

void mln_facts_member_number(struct mln_json_writer *w, const char *name, int64_t number, int64_t absent)
{
    if (number != absent)
        mln_json_member_i64(w, name, number);
}

void mln_facts_member_octal(struct mln_json_writer *w, const char *name, uint32_t mode)
{
    char text[16];
    snprintf(text, sizeof text, "%04o", mode);
    mln_json_member_str(w, name, mln_str_c(text));
}
