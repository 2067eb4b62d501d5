/*
 * Rules as data: loads content/ (or anybody's directory) into an immutable rule set. docs/rules.md has the format.
 *
 * Owns the parsed rules and their compiled programs. Knows nothing of resources or stores. A broken file is listed in
 * the rule set's errors with line and column and never stops the good ones.
 */
#ifndef MLN_CONTENT_RULESET_H
#define MLN_CONTENT_RULESET_H

#include "base/bitset.h"
#include "expr/program.h"
#include "model/control.h"

struct mln_rule_standard {
    struct mln_str standard, control; /* "cis-debian-12", "5.1.20" */
};

struct mln_rule_example {
    struct mln_str name;
    enum mln_status expect;
    const struct mln_json *resource;
    uint32_t line;
};

struct mln_rule {
    struct mln_str id; /* slug, unique in the set: "linux-ssh-root-login" */
    struct mln_str
        key; /* GUID: the assessment's name in the API; a version 5 UUID of the id when the file gives none */
    struct mln_str title, description;
    struct mln_str remediation;     /* prose */
    const struct mln_str *commands; /* shell lines that fix it */
    size_t n_commands;
    enum mln_severity severity;
    struct mln_str category;            /* Compute, Networking, Data, IdentityAndAccess, IoT, Container, AppServices */
    struct mln_str effort, user_impact; /* Low, Moderate, High */
    const struct mln_str *threats, *tactics, *techniques;
    size_t n_threats, n_tactics, n_techniques;
    const uint32_t *controls; /* indices into the set's controls */
    size_t n_controls;
    const struct mln_rule_standard *standards;
    size_t n_standards;
    struct mln_str resource_type; /* "Microsoft.HybridCompute/machines", matched without case */
    bool preview;                 /* shown, not counted in a score */
    struct mln_str applies_source, healthy_source, found_source;
    struct mln_program *applies; /* NULL: always */
    struct mln_program *healthy;
    struct mln_program *found; /* NULL, or what was found, shown with an unhealthy assessment */
    /* Paths below the document without which the rule cannot judge: absent data makes it NotApplicable with cause
       DataNotCollected. From the file's `needs`, else the sections ("properties.facts.sshd") that its programs read. */
    const struct mln_str *needs;
    size_t n_needs;
    const struct mln_rule_example *examples;
    size_t n_examples;
    struct mln_str file;    /* relative to the directory */
    struct mln_str version; /* 16 hex digits of the SHA-256 of the file */
};

struct mln_rule_error {
    struct mln_str file, text;
    uint32_t line, column; /* from 1; 0: the whole file */
};

struct mln_rule_type { /* the rules of one resource type */
    struct mln_str resource_type;
    const struct mln_expr_env *env; /* one environment a type: slots are shared by its rules */
    const uint32_t *rules;          /* indices into the set's rules */
    size_t n_rules;
};

struct mln_ruleset {
    const struct mln_control *controls; /* of content/controls.yaml */
    size_t n_controls;
    const struct mln_rule *rules; /* by id */
    size_t n_rules;
    const struct mln_rule_type *types;
    size_t n_types;
    const struct mln_rule_error *errors;
    size_t n_errors;
    struct mln_str version;   /* 16 hex digits over all files' versions, the same for the same content */
    struct mln_arena *arena_; /* owns all of it */
};

/* Loads DIR/controls.yaml (optional for a directory of rules alone: those of the build are used then) and
   every *.yaml below it. Fails only when the directory cannot be read or memory is short; broken files are in errors. */
MLN_RESULT mln_ruleset_load(struct mln_str directory, struct mln_ruleset **out);
/* The set of one rule file that is not on disk, with the built-in controls; name stands in its errors. */
MLN_RESULT mln_ruleset_parse(struct mln_str name, struct mln_str text, struct mln_ruleset **out);
void mln_ruleset_free(struct mln_ruleset *set);
MLN_DEFINE_CLEANUP(struct mln_ruleset, mln_ruleset_free)

const struct mln_rule *mln_ruleset_by_id(const struct mln_ruleset *set, struct mln_str id);
const struct mln_rule *mln_ruleset_by_key(const struct mln_ruleset *set, struct mln_str key); /* without case */
const struct mln_rule_type *mln_ruleset_type(const struct mln_ruleset *set, struct mln_str resource_type);

#endif
