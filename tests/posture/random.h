/* Rule sets made by repeatable chance, for properties. Include after check.h. */
#ifndef MLN_TESTS_POSTURE_RANDOM_H
#define MLN_TESTS_POSTURE_RANDOM_H

#include "content/ruleset.h"

static inline uint32_t roll(uint64_t *dice, uint32_t sides)
{
    return (uint32_t)check_below(dice, sides);
}

/* A rule set without programs: n_rules rules of two types in some of n_controls controls; every rule is there with a
   probability, in one of three versions. version names the set. */
static inline struct mln_ruleset *random_ruleset(uint64_t *dice, struct mln_arena *arena, uint32_t n_rules,
                                                 uint32_t n_controls, const char *version)
{
    static const struct mln_str versions[] = {{"v1", 2}, {"v2", 2}, {"v3", 2}};
    static const struct mln_str types[] = {{"A.B/one", 7}, {"A.B/two", 7}};
    struct mln_ruleset *set = mln_arena_alloc(arena, sizeof *set);
    struct mln_rule *rules = mln_arena_array(arena, n_rules, sizeof *rules);
    struct mln_control *controls = mln_arena_array(arena, n_controls, sizeof *controls);
    struct mln_rule_type *of_type = mln_arena_array(arena, 2, sizeof *of_type);
    for (uint32_t c = 0; c < n_controls; c++) {
        uint32_t number = c + roll(dice, 2) * n_controls; /* half of the controls are other ones in each set */
        controls[c].id = mln_str_printf(arena, "control-%02u", number);
        controls[c].max_points = (int32_t)roll(dice, 11);
    }
    size_t n = 0;
    for (uint32_t t = 0; t < 2; t++)
        of_type[t] = (struct mln_rule_type){.resource_type = types[t],
                                            .rules = mln_arena_array(arena, n_rules, sizeof(uint32_t))};
    for (uint32_t r = 0; r < n_rules; r++) {
        if (roll(dice, 5) == 0)
            continue;
        uint32_t *in = mln_arena_array(arena, 3, sizeof *in), n_in = 0;
        for (uint32_t c = 0; c < n_controls && n_in < 3; c++)
            if (roll(dice, n_controls) == 0)
                in[n_in++] = c;
        struct mln_rule_type *type = &of_type[r % 2];
        rules[n] = (struct mln_rule){.id = mln_str_printf(arena, "rule-%03u", r),
                                     .key = mln_str_printf(arena, "key-%03u", r),
                                     .version = versions[roll(dice, 3)],
                                     .preview = roll(dice, 8) == 0,
                                     .controls = in,
                                     .n_controls = n_in,
                                     .resource_type = type->resource_type};
        uint32_t *numbers = mln_arena_array(arena, type->n_rules + 1, sizeof *numbers);
        if (type->n_rules)
            memcpy(numbers, type->rules, type->n_rules * sizeof *numbers);
        numbers[type->n_rules++] = (uint32_t)n++;
        type->rules = numbers;
    }
    *set = (struct mln_ruleset){.controls = controls,
                                .n_controls = n_controls,
                                .rules = rules,
                                .n_rules = n,
                                .types = of_type,
                                .n_types = 2,
                                .version = mln_str_c(version)};
    return set;
}

#endif
