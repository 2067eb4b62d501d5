/* The few plain pages that the server itself shows: sign-in, consent, device approval. No script, strict policy. */
#ifndef MLN_API_HTML_H
#define MLN_API_HTML_H

#include "api/route.h"

/* Starts a page: head, a heading, a message where message.n is not 0. post_to: other origins that a form of this page may
   end at after a redirect (for the policy's form-action), "" for none. */
MLN_RESULT mln_html_begin(struct mln_request *request, struct mln_reply *reply, int status, const char *title,
                          struct mln_str message, const char *post_to);
MLN_RESULT mln_html_text(struct mln_reply *reply, struct mln_str text);   /* a paragraph, escaped */
MLN_RESULT mln_html_form(struct mln_reply *reply, struct mln_str action); /* POST */
MLN_RESULT mln_html_hidden(struct mln_reply *reply, const char *name, struct mln_str value);
/* type: "text", "password"; autocomplete as HTML names it. */
MLN_RESULT mln_html_input(struct mln_reply *reply, const char *label, const char *name, const char *type,
                          const char *autocomplete, struct mln_str value);
MLN_RESULT mln_html_button(struct mln_reply *reply, const char *label, const char *name, const char *value);
MLN_RESULT mln_html_form_end(struct mln_reply *reply);
MLN_RESULT mln_html_end(struct mln_reply *reply);

#endif
