#include "api/html.h"

static struct mln_result put(struct mln_reply *reply, const char *html)
{
    return mln_buf_append(&reply->body, mln_str_c(html));
}

static struct mln_result put_escaped(struct mln_reply *reply, struct mln_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        const char *entity = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : NULL;
        if (!entity && c == '\'')
            entity = "&#39;";
        MLN_TRY(entity ? put(reply, entity) : mln_buf_byte(&reply->body, c));
    }
    return MLN_OK;
}

struct mln_result mln_html_begin(struct mln_request *request, struct mln_reply *reply, int status, const char *title,
                                 struct mln_str message, const char *post_to)
{
    struct mln_str policy;
    mln_reply_json(reply, status);
    reply->content_type = "text/html; charset=utf-8";
    MLN_TRY_STR(request->arena, policy,
                mln_str_printf(request->arena,
                               "default-src 'none'; style-src 'self'; form-action 'self'%s%s; base-uri 'none'; "
                               "frame-ancestors 'none'",
                               *post_to ? " " : "", post_to));
    MLN_TRY(mln_reply_header(request, reply, "Content-Security-Policy", policy));
    MLN_TRY(mln_reply_header(request, reply, "Referrer-Policy", MLN_S("no-referrer")));
    MLN_TRY(mln_reply_header(request, reply, "Cross-Origin-Opener-Policy", MLN_S("same-origin")));
    MLN_TRY(put(reply, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"));
    MLN_TRY(put(reply, title));
    MLN_TRY(put(reply,
                " - Merlon</title>\n<link rel=\"stylesheet\" href=\"/adfs/page.css\">\n</head>\n<body>\n<main>\n<h1>"));
    MLN_TRY(put(reply, title));
    MLN_TRY(put(reply, "</h1>\n"));
    if (!message.n)
        return MLN_OK;
    MLN_TRY(put(reply, "<p role=\"alert\">"));
    MLN_TRY(put_escaped(reply, message));
    return put(reply, "</p>\n");
}

struct mln_result mln_html_text(struct mln_reply *reply, struct mln_str text)
{
    MLN_TRY(put(reply, "<p>"));
    MLN_TRY(put_escaped(reply, text));
    return put(reply, "</p>\n");
}

struct mln_result mln_html_form(struct mln_reply *reply, struct mln_str action)
{
    MLN_TRY(put(reply, "<form method=\"post\" action=\""));
    MLN_TRY(put_escaped(reply, action));
    return put(reply, "\">\n");
}

struct mln_result mln_html_hidden(struct mln_reply *reply, const char *name, struct mln_str value)
{
    MLN_TRY(put(reply, "<input type=\"hidden\" name=\""));
    MLN_TRY(put(reply, name));
    MLN_TRY(put(reply, "\" value=\""));
    MLN_TRY(put_escaped(reply, value));
    return put(reply, "\">\n");
}

struct mln_result mln_html_input(struct mln_reply *reply, const char *label, const char *name, const char *type,
                                 const char *autocomplete, struct mln_str value)
{
    MLN_TRY(mln_buf_printf(&reply->body,
                           "<label>%s<input name=\"%s\" type=\"%s\" autocomplete=\"%s\" required value=\"", label, name,
                           type, autocomplete));
    MLN_TRY(put_escaped(reply, value));
    return put(reply, "\"></label>\n");
}

struct mln_result mln_html_button(struct mln_reply *reply, const char *label, const char *name, const char *value)
{
    return mln_buf_printf(&reply->body, "<button name=\"%s\" value=\"%s\">%s</button>\n", name, value, label);
}

struct mln_result mln_html_form_end(struct mln_reply *reply)
{
    return put(reply, "</form>\n");
}

struct mln_result mln_html_end(struct mln_reply *reply)
{
    return put(reply, "</main>\n</body>\n</html>\n");
}
