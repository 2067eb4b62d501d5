/*
 * Signing in: every way by which somebody proves who they are, and what they get for it.
 *
 * It owns the order of checks (lock-out, then secret, then disabled), the number of password hashes at once, and the life
 * of refresh tokens, device codes, authorization codes and browser sessions (grants.h). It knows neither HTTP nor OAuth's
 * words: the codes of the results say which of them to use.
 *
 * A failed proof is always UNAUTHENTICATED with the same text, whether the principal does not exist, is disabled or the
 * secret is wrong. TOO_MANY: locked out, within 15 minutes after 10 failures of a name from one network (an IPv4 address, a
 * /64 of IPv6), 30 of all names from one network, 100 of a name from everywhere: so nobody is locked out by a stranger
 * alone. BUSY: too many are signing in at this moment.
 */
#ifndef MLN_ACCESS_SIGNIN_H
#define MLN_ACCESS_SIGNIN_H

#include "access/grants.h"
#include "access/principals.h"
#include "access/tokens.h"

enum { MLN_PASSWORD_LEAST_BYTES = 12, MLN_DEVICE_POLL_SECONDS = 5, MLN_USER_CODE_TEXT = 10 };

struct mln_signin_setup { /* all borrowed */
    struct mln_store *store;
    const struct mln_clock *clock;
    struct mln_principals *principals;
    struct mln_tokens *tokens;
};

struct mln_signin;
MLN_RESULT mln_signin_open(const struct mln_signin_setup *setup, struct mln_signin **out);
void mln_signin_close(struct mln_signin *signin);
MLN_DEFINE_CLEANUP(struct mln_signin, mln_signin_close)
struct mln_principals *mln_signin_principals(struct mln_signin *signin);
struct mln_tokens *mln_signin_tokens(struct mln_signin *signin);

/* ---- proofs; *out is in the arena ---- */

MLN_RESULT mln_signin_password(struct mln_signin *signin, struct mln_str name, struct mln_str password,
                               struct mln_str address, struct mln_arena *arena, struct mln_principal *out);
MLN_RESULT mln_signin_secret(struct mln_signin *signin, struct mln_str client_id, struct mln_str secret,
                             struct mln_str address, struct mln_arena *arena, struct mln_principal *out);
/* A client's JWT (RFC 7523) signed by one of its certificates' keys: iss and sub the client, aud one of the audiences, exp
   within an hour, a jti that was not used before. */
MLN_RESULT mln_signin_assertion(struct mln_signin *signin, struct mln_str client_id, struct mln_str assertion,
                                const struct mln_str *audiences, size_t n_audiences, struct mln_str address,
                                struct mln_arena *arena, struct mln_principal *out);
/* Who a bearer token stands for (mln_tokens_verify). */
MLN_RESULT mln_signin_bearer(struct mln_signin *signin, struct mln_str token, struct mln_arena *arena,
                             struct mln_caller *out, bool *expired);

/* ---- refresh tokens ---- */

/* A first refresh token of a new family for the principal; appended to out. */
MLN_RESULT mln_signin_refresh_start(struct mln_signin *signin, const struct mln_principal *principal,
                                    struct mln_str client_id, struct mln_buf *out);
/* Trades a refresh token for its successor (appended to out) and the principal. A token that was traded more than a
   minute ago ends its whole family: one of two holders is not the owner. Within the minute each trade gets a successor, so
   that two processes of one client may share a token. UNAUTHENTICATED. */
MLN_RESULT mln_signin_refresh(struct mln_signin *signin, struct mln_str token, struct mln_str client_id,
                              struct mln_arena *arena, struct mln_principal *principal, struct mln_buf *out);

/* ---- device codes (RFC 8628) ---- */

/* Appends the device's secret; the person's code is eight letters with a hyphen. TOO_MANY: 1000 wait already, or 30 were
   begun from this network within 15 minutes. */
MLN_RESULT mln_signin_device_start(struct mln_signin *signin, struct mln_str client_id, struct mln_str address,
                                   struct mln_buf *device_code, char user_code[MLN_USER_CODE_TEXT]);
/* Which client waits for this code. Blanks, hyphens and case do not matter. NOT_FOUND; TOO_MANY by address. */
MLN_RESULT mln_signin_device_find(struct mln_signin *signin, struct mln_str user_code, struct mln_str address,
                                  struct mln_arena *arena, struct mln_grant *out);
/* Approves or denies it, once, as the principal. NOT_FOUND. */
MLN_RESULT mln_signin_device_decide(struct mln_signin *signin, struct mln_str user_code, struct mln_str address,
                                    struct mln_str principal_id, bool approve, struct mln_arena *arena);
/* The device asks: CONFLICT while nobody has decided, FORBIDDEN when denied, NOT_FOUND when expired or unknown. Once
   answered with a principal, the code is used up. */
MLN_RESULT mln_signin_device_poll(struct mln_signin *signin, struct mln_str device_code, struct mln_str client_id,
                                  struct mln_arena *arena, struct mln_principal *out);

/* ---- authorization codes with PKCE (RFC 7636, S256 only) ---- */

struct mln_code_request {
    struct mln_str client_id, redirect_uri, challenge, nonce;
};
/* INVALID: no challenge, or a redirect that is not http://localhost or http://127.0.0.1 with any port (RFC 8252). */
MLN_RESULT mln_signin_code_check(const struct mln_code_request *request);
MLN_RESULT mln_signin_code_start(struct mln_signin *signin, const struct mln_code_request *request,
                                 struct mln_str principal_id, struct mln_arena *arena, struct mln_buf *code);
/* UNAUTHENTICATED unless code, client, redirect and verifier are those of the start. nonce in the arena. */
MLN_RESULT mln_signin_code(struct mln_signin *signin, struct mln_str code, struct mln_str client_id,
                           struct mln_str redirect_uri, struct mln_str verifier, struct mln_arena *arena,
                           struct mln_principal *out, struct mln_str *nonce);

/* ---- browser sessions ---- */

/* Appends the cookie's value. csrf gets what the session's forms must repeat. */
MLN_RESULT mln_signin_session_start(struct mln_signin *signin, const struct mln_principal *principal,
                                    struct mln_arena *arena, struct mln_buf *cookie, struct mln_str *csrf);
MLN_RESULT mln_signin_session(struct mln_signin *signin, struct mln_str cookie, struct mln_arena *arena,
                              struct mln_caller *caller, struct mln_str *csrf);
/* An unknown session is fine. */
MLN_RESULT mln_signin_session_end(struct mln_signin *signin, struct mln_str cookie, struct mln_arena *arena);

/* ---- secrets of principals; the change is the caller's to commit ---- */

/* Replaces a user's password in *principal and ends all its tokens and sessions. INVALID when it is too short. */
MLN_RESULT mln_signin_set_password(struct mln_signin *signin, struct mln_principal *principal, struct mln_str password,
                                   struct mln_arena *arena);
/* Makes a new secret for a service principal, appended to out, valid until expires_ms (0: for ever). CONFLICT when it has
   MLN_PRINCIPAL_MAX_SECRETS. */
MLN_RESULT mln_signin_add_secret(struct mln_signin *signin, struct mln_principal *principal, int64_t expires_ms,
                                 struct mln_arena *arena, struct mln_buf *out);

/* Removes what has expired; call it every few minutes. */
MLN_RESULT mln_signin_sweep(struct mln_signin *signin, size_t *removed);

#endif
