#include "merlond/engine.h"

#include "base/log.h"

static struct mln_result load_rules(const struct mln_daemon_options *options, struct mln_ruleset **out)
{
    MLN_TRY(mln_ruleset_load(options->content, out));
    for (size_t i = 0; i < (*out)->n_errors; i++) {
        const struct mln_rule_error *e = &(*out)->errors[i];
        mln_log(WARNING, "%.*s:%u:%u: %.*s", MLN_FMT(e->file), e->line, e->column, MLN_FMT(e->text));
    }
    mln_log(INFO, "%zu rules of content %.*s, %zu errors", (*out)->n_rules, MLN_FMT((*out)->version), (*out)->n_errors);
    return MLN_OK;
}

struct mln_result mln_engine_open(const struct mln_daemon_options *options, struct mln_home *home,
                                  struct mln_engine *out)
{
    struct mln_ruleset *rules;
    *out = (struct mln_engine){0};
    MLN_TRY(load_rules(options, &rules));
    MLN_TRY(mln_posture_open(home->store, home->clock, rules, &out->posture));
    struct mln_hosts_setup setup = {.store = home->store,
                                    .posture = out->posture,
                                    .clock = home->clock,
                                    .ca_certificate = mln_buf_str(&home->state.ca_pem),
                                    .ca_key = mln_buf_str(&home->state.ca_key),
                                    .heartbeat_seconds = options->heartbeat_seconds,
                                    .report_seconds = options->report_seconds};
    struct mln_result r = mln_hosts_open(&setup, &out->hosts);
    if (!mln_ok(r))
        mln_engine_close(out);
    return r;
}

void mln_engine_close(struct mln_engine *engine)
{
    if (engine->hosts)
        mln_hosts_close(engine->hosts);
    if (engine->posture)
        mln_posture_close(engine->posture);
    *engine = (struct mln_engine){0};
}

struct mln_result mln_engine_reload(const struct mln_daemon_options *options, struct mln_engine *engine)
{
    struct mln_ruleset *rules;
    MLN_TRY(load_rules(options, &rules));
    return mln_posture_reload(engine->posture, rules);
}
