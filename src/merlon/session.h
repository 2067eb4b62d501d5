/*
 * The connection to a server: who is signed in, kept between calls of the program in one file that only its owner can read
 * ($MERLON_CONFIG_DIR, else $XDG_CONFIG_HOME/merlon, else ~/.config/merlon: session.json), and requests in that name.
 */
#ifndef MLN_MERLON_SESSION_H
#define MLN_MERLON_SESSION_H

#include "crypto/digest.h"
#include "merlon/commands.h"
#include "json/json.h"

struct mln_session;

/* How to sign in; exactly one of user, service_principal and device_code. */
struct mln_login {
    struct mln_str user;              /* p NULL: not by user name */
    struct mln_str service_principal; /* client id */
    bool device_code;
    struct mln_str
        secret_file; /* file with the password or secret, "-" is standard input; p NULL: asked on the terminal */
    struct mln_str ca_sha256; /* trust the authority with this fingerprint; p NULL: --ca, or the system's */
};

/* Signs in to the server of the invocation's options and keeps the session. *name: who that is. */
MLN_RESULT mln_session_login(struct mln_invocation *invocation, const struct mln_login *login, struct mln_str *name);
/* Forgets it; *name: who it was. NOT_FOUND when there was none. */
MLN_RESULT mln_session_logout(struct mln_invocation *invocation, struct mln_str *name);

/* The kept session, its token renewed where it is about to end. UNAUTHENTICATED when nobody is signed in. */
MLN_RESULT mln_session_open(struct mln_invocation *invocation, struct mln_session **out);
void mln_session_close(struct mln_session *session);
MLN_DEFINE_CLEANUP(struct mln_session, mln_session_close)

/* The SHA-256 of the authority that this session trusts, in hex; "" where that is the system's. */
MLN_RESULT mln_session_ca_fingerprint(const struct mln_session *session, char out[MLN_SHA256_HEX]);
struct mln_str mln_session_server(const struct mln_session *session);
struct mln_arena *mln_session_arena(const struct mln_session *session); /* the invocation's */
struct mln_str mln_session_user(const struct mln_session *session);

/* One request: path begins with '/' and has its api-version. body p NULL: none. *answer is the JSON in the invocation's
   arena, NULL for an empty answer. A status of 400 and more is a failure with the server's own words. */
MLN_RESULT mln_session_call(struct mln_session *session, const char *method, struct mln_str path, struct mln_str body,
                            const struct mln_json **answer);
MLN_RESULT mln_session_get(struct mln_session *session, struct mln_str path, const struct mln_json **answer);
/* All items of a list, page after page, as one array. */
MLN_RESULT mln_session_list(struct mln_session *session, struct mln_str path, struct mln_json *array);

/* "/subscriptions/{id}" of --subscription, or of the first one that the caller may read. NOT_FOUND: none. */
MLN_RESULT mln_session_subscription(struct mln_session *session, struct mln_str *scope);
/* SCOPE/providers/Microsoft.Security/REST?api-version=VERSION; rest may have a query of its own. */
MLN_RESULT mln_session_security_path(struct mln_session *session, struct mln_str scope, const char *version,
                                     struct mln_str *path, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* ID?api-version=VERSION, the id's segments escaped. INVALID for what is no ARM id. */
MLN_RESULT mln_session_id_path(struct mln_session *session, struct mln_str id, const char *version,
                               struct mln_str *path);
/* One value, fit for a path segment or a query. */
MLN_RESULT mln_session_escape(struct mln_session *session, struct mln_str value, struct mln_str *out);

#endif
