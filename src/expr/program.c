#include "expr/program.h"

#include "expr/code.h"
#include "expr/utf8.h"

void mln_program_free(struct mln_program *program)
{
    if (!program)
        return;
    for (size_t i = 0; i < program->n_regexes; i++)
        mln_regex_free(program->regexes[i]);
    for (size_t i = 0; i < program->n_sets; i++)
        mln_map_free(program->sets[i].strings);
    mln_arena_free(program->arena);
    free(program);
}

size_t mln_program_paths(const struct mln_program *program, const struct mln_str **paths)
{
    *paths = program->paths;
    return program->n_paths;
}

const char *mln_program_type(const struct mln_program *program)
{
    return program->type;
}

void mln_source_position(struct mln_str source, size_t at, uint32_t *line, uint32_t *column)
{
    struct mln_str before = mln_str_sub(source, 0, at);
    size_t start = 0;
    *line = 1;
    for (size_t i = 0; i < before.n; i++)
        if (before.p[i] == '\n') {
            ++*line;
            start = i + 1;
        }
    *column = (uint32_t)mln_utf8_count(mln_str_sub(before, start, before.n)) + 1;
}
