/*
 * Settings kept as ARM documents in the store: plans, contacts, custom assessments and the like. One document an id; the
 * key is the id in lower case, the value the whole ARM JSON as it is answered. Handlers make the JSON, this file reads,
 * writes and lists it. It knows no kind of document.
 */
#ifndef MLN_API_DOCUMENTS_H
#define MLN_API_DOCUMENTS_H

#include "api/route.h"

/* The document with this id; NOT_FOUND. It is in the request's arena. */
MLN_RESULT mln_document_get(struct mln_request *request, struct mln_str id, const struct mln_json **document);

/* Stores the JSON text under the id, together with the request's activity entry. *created (may be NULL): it was new. */
MLN_RESULT mln_document_put(struct mln_request *request, struct mln_str id, struct mln_str json, bool *created);

/* Deletes it, with the activity entry. *existed may be NULL. */
MLN_RESULT mln_document_delete(struct mln_request *request, struct mln_str id, bool *existed);

/* Visits the documents whose id begins with prefix, by id, after the id `after` (p NULL: from the start). */
typedef struct mln_result (*mln_document_visit)(void *context, struct mln_str key, const struct mln_json *document,
                                                bool *stop);
MLN_RESULT mln_document_list(struct mln_request *request, struct mln_str prefix, struct mln_str after,
                             mln_document_visit visit, void *context);

/* "scope/providers/Microsoft.Security/collection/name" in the request's arena, name as mln_path_segment has it; p NULL when
   it has no room. */
struct mln_str mln_security_id(struct mln_request *request, struct mln_str scope, const char *collection,
                               struct mln_str name);

/* The body's properties member; SYNTAX when there is none. */
MLN_RESULT mln_request_properties(const struct mln_request *request, const struct mln_json **properties);

/* A member that must be one of the words, matched without case; *word is the canonical spelling, NULL when the member is
   absent and not required. INVALID names the member and the words. */
MLN_RESULT mln_member_word(const struct mln_json *object, const char *name, const char *const *words, bool required,
                           const char **word);
/* A member that must be a text; p NULL when absent and not required. */
MLN_RESULT mln_member_text(const struct mln_json *object, const char *name, bool required, struct mln_str *text);

#endif
