/* The implementations behind the function table. Arguments have the types of their line in the table. */
#ifndef MLN_EXPR_LIBRARY_H
#define MLN_EXPR_LIBRARY_H

#include "expr/functions.h"

#define F(name) mln_value mln_fn_##name(struct mln_expr_run *run, const mln_value *args)

/* library_text.c */
F(contains);
F(starts_with);
F(ends_with);
F(matches);
F(lower_ascii);
F(upper_ascii);
F(trim);
F(split);
F(split_limit);
F(join);
F(join_with);
F(replace);
F(replace_limit);
F(index_of);
F(index_of_from);
F(last_index_of);
F(last_index_of_from);
F(substring_from);
F(substring);
F(char_at);
F(reverse_text);
F(quote);
F(format);

/* library_convert.c */
F(size);
F(type_of);
F(same);
F(bool_of_text);
F(int_of_uint);
F(int_of_double);
F(int_of_text);
F(int_of_timestamp);
F(int_of_duration);
F(uint_of_int);
F(uint_of_double);
F(uint_of_text);
F(double_of_int);
F(double_of_uint);
F(double_of_text);
F(string_of_bool);
F(string_of_null);
F(string_of_int);
F(string_of_uint);
F(string_of_double);
F(string_of_bytes);
F(string_of_timestamp);
F(string_of_duration);
F(bytes_of_text);

/* library_time.c */
F(timestamp_of_text);
F(timestamp_of_int);
F(duration_of_text);
F(now);
F(duration_hours);
F(duration_minutes);
F(duration_seconds);
F(duration_milliseconds);
F(full_year);
F(full_year_in);
F(month);
F(month_in);
F(day_of_month);
F(day_of_month_in);
F(date);
F(date_in);
F(day_of_week);
F(day_of_week_in);
F(day_of_year);
F(day_of_year_in);
F(hours);
F(hours_in);
F(minutes);
F(minutes_in);
F(seconds);
F(seconds_in);
F(milliseconds);
F(milliseconds_in);

/* library_math.c */
F(greatest);
F(least);
F(abs);
F(sign);
F(sqrt);
F(bit_and);
F(bit_or);
F(bit_xor);
F(bit_not);
F(shift_left);
F(shift_right);
F(ceil);
F(floor);
F(round);
F(trunc);
F(is_nan);
F(is_inf);
F(is_finite);

/* library_list.c */
F(sort);
F(distinct);
F(reverse_list);
F(slice);
F(flatten);
F(flatten_deep);
F(first);
F(last);
F(range);
F(set_contains);
F(set_equivalent);
F(set_intersects);

/* library_optional.c */
F(optional_of);
F(optional_of_non_zero);
F(optional_none);
F(optional_has_value);
F(optional_value);
F(optional_or);
F(optional_or_value);
F(optional_unwrap);
F(base64_encode);
F(base64_decode);

/* library_network.c */
F(is_ip);
F(is_cidr);
F(ip_of_text);
F(ip_is_canonical);
F(ip_family);
F(ip_is_unspecified);
F(ip_is_loopback);
F(ip_is_global_unicast);
F(ip_is_link_local_multicast);
F(ip_is_link_local_unicast);
F(cidr_of_text);
F(cidr_contains_ip);
F(cidr_contains_cidr);
F(cidr_ip);
F(cidr_masked);
F(cidr_prefix_length);
F(string_of_ip);
F(string_of_cidr);

#undef F

#endif
