/* Small readers for the line formats below /etc. They change nothing: all slices point into the text that was given. */
#ifndef MLN_AGENT_LINUX_TEXT_H
#define MLN_AGENT_LINUX_TEXT_H

#include "base/str.h"

/* The next line, trimmed; counts lines in *number when that is not NULL. False at the end. */
bool mln_text_line(struct mln_str *rest, struct mln_str *line, uint32_t *number);
/* The next line that is neither empty nor a comment (first character '#' or ';'). */
bool mln_text_setting(struct mln_str *rest, struct mln_str *line, uint32_t *number);
/* The next word, separated by spaces and tabs. False at the end. */
bool mln_text_word(struct mln_str *rest, struct mln_str *word);
/* Splits "key = value" at the first separator, both trimmed; false without one, or with an empty key. */
bool mln_text_pair(struct mln_str line, char separator, struct mln_str *key, struct mln_str *value);
/* Without one pair of equal quotes around it. */
struct mln_str mln_text_unquote(struct mln_str value);
/* The part before an unquoted '#', trimmed. */
struct mln_str mln_text_uncomment(struct mln_str line);
/* Shell file name patterns (*, ?, [...]), without special meaning of '/' or leading dots. */
bool mln_text_glob(struct mln_str pattern, struct mln_str name);
/* yes/true/on/1/enabled without case; otherwise for p NULL. */
bool mln_text_true(struct mln_str value, bool otherwise);
/* A decimal number, or otherwise. */
int64_t mln_text_i64(struct mln_str value, int64_t otherwise);
/* An octal number ("0640", "22"); false when it is none. */
bool mln_text_octal(struct mln_str value, uint32_t *out);

/* The value of key in an INI text, within [section] (p NULL: outside of any or in all); the last one wins; p NULL when it
   is not there. Keys and sections without case where nocase. */
struct mln_str mln_text_ini(struct mln_str text, struct mln_str section, struct mln_str key);

/* A copy of a command line, at most max bytes, in which what follows a word like password, secret, token or key (after
   '=', ':' or a blank) and the credentials of URLs are replaced by "***". p NULL: no memory. */
struct mln_str mln_text_mask(struct mln_arena *arena, struct mln_str command, size_t max_bytes);

#endif
