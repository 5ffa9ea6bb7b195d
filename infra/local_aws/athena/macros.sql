-- Trino's functions where DuckDB has none of that meaning. Run once, when the engine starts.
-- A cast that fails has to fail as Trino's does, and DuckDB reads more as a number than Trino: a text that Trino
-- refuses gets a question mark at its end, so that DuckDB refuses it too.

create macro trino_integer_text(x) as
    case when x is null or regexp_full_match(x, '[+-]?[0-9]+') then x else x || '?' end;
create macro trino_number_text(x) as
    case when x is null or regexp_full_match(trim(x), '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|[+-]?Infinity')
        then trim(x) else x || '?' end;
create macro trino_boolean_text(x) as
    case when x is null or lower(x) in ('true', 'false', 't', 'f', '1', '0') then x else x || '?' end;
create macro trino_date_text(x) as
    case when x is null or regexp_full_match(trim(x), '[+-]?[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}') then trim(x) else x || '?' end;
create macro trino_timestamp_text(x) as
    case when x is null or regexp_full_match(
            trim(x), '[+-]?[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]+)?)?)?')
        then trim(x) || if(regexp_full_match(trim(x), '.* [0-9]{1,2}:[0-9]{1,2}'), ':00', '')
        else x || '?' end;

create macro trino_cast_tinyint
    (x varchar) as cast(trino_integer_text(x) as tinyint), (x boolean) as cast(x as tinyint), (x) as cast(round(x) as tinyint);
create macro trino_cast_smallint
    (x varchar) as cast(trino_integer_text(x) as smallint), (x boolean) as cast(x as smallint), (x) as cast(round(x) as smallint);
create macro trino_cast_integer
    (x varchar) as cast(trino_integer_text(x) as integer), (x boolean) as cast(x as integer), (x) as cast(round(x) as integer);
create macro trino_cast_bigint
    (x varchar) as cast(trino_integer_text(x) as bigint), (x boolean) as cast(x as bigint), (x) as cast(round(x) as bigint);
create macro trino_cast_real(x varchar) as cast(trino_number_text(x) as float), (x) as cast(x as float);
create macro trino_cast_double(x varchar) as cast(trino_number_text(x) as double), (x) as cast(x as double);
create macro trino_cast_boolean(x varchar) as cast(trino_boolean_text(x) as boolean), (x) as cast(x as boolean);
create macro trino_cast_date(x varchar) as cast(trino_date_text(x) as date), (x) as cast(x as date);
create macro trino_cast_timestamp(x varchar) as cast(trino_timestamp_text(x) as timestamp), (x) as cast(x as timestamp);

create macro trino_try_cast_tinyint
    (x varchar) as try_cast(trino_integer_text(x) as tinyint), (x boolean) as cast(x as tinyint), (x) as try_cast(round(x) as tinyint);
create macro trino_try_cast_smallint
    (x varchar) as try_cast(trino_integer_text(x) as smallint), (x boolean) as cast(x as smallint), (x) as try_cast(round(x) as smallint);
create macro trino_try_cast_integer
    (x varchar) as try_cast(trino_integer_text(x) as integer), (x boolean) as cast(x as integer), (x) as try_cast(round(x) as integer);
create macro trino_try_cast_bigint
    (x varchar) as try_cast(trino_integer_text(x) as bigint), (x boolean) as cast(x as bigint), (x) as try_cast(round(x) as bigint);
create macro trino_try_cast_real(x varchar) as try_cast(trino_number_text(x) as float), (x) as try_cast(x as float);
create macro trino_try_cast_double(x varchar) as try_cast(trino_number_text(x) as double), (x) as try_cast(x as double);
create macro trino_try_cast_boolean(x varchar) as try_cast(trino_boolean_text(x) as boolean), (x) as try_cast(x as boolean);
create macro trino_try_cast_date(x varchar) as try_cast(trino_date_text(x) as date), (x) as try_cast(x as date);
create macro trino_try_cast_timestamp(x varchar) as try_cast(trino_timestamp_text(x) as timestamp), (x) as try_cast(x as timestamp);

create macro trino_add(x date, i) as cast(x + i as date), (x, i) as x + i;
create macro trino_subtract(x date, i interval) as cast(x - i as date), (x, i) as x - i;
create macro trino_truncate(part, x date) as cast(date_trunc(part, x) as date), (part, x) as date_trunc(part, x);
create macro trino_at_timezone(x timestamp, z) as timezone(z, cast(x as timestamptz)), (x timestamptz, z) as timezone(z, x);
create macro with_timezone(x, z) as timezone(z, cast(x as timestamp));
-- A week, a day of the year, a year or a month is a date of ISO 8601 too.
create macro trino_iso8601_date_text(x) as case
    when regexp_full_match(x, '[0-9]{4}-W[0-9]{2}') then strftime(strptime(x || '-1', '%G-W%V-%u'), '%Y-%m-%d')
    when regexp_full_match(x, '[0-9]{4}-W[0-9]{2}-[1-7]') then strftime(strptime(x, '%G-W%V-%u'), '%Y-%m-%d')
    when regexp_full_match(x, '[0-9]{4}-[0-9]{3}') then strftime(strptime(x, '%Y-%j'), '%Y-%m-%d')
    when regexp_full_match(x, '[0-9]{4}') then x || '-01-01'
    when regexp_full_match(x, '[0-9]{4}-[0-9]{2}') then x || '-01'
    else x end;
create macro trino_iso8601_text(x) as trino_iso8601_date_text(split_part(x, 'T', 1)) || substr(x, len(split_part(x, 'T', 1)) + 1);
create macro trino_from_iso8601_date(x) as trino_cast_date(trino_iso8601_date_text(x));
create macro trino_from_iso8601_timestamp(x) as cast(
    case when x is null
            or regexp_full_match(trino_iso8601_text(x), '[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}(:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?')
        then trino_iso8601_text(x) else x || '?' end as timestamptz);
-- DuckDB's timestamps with time zone are instants: what would come out in the zone's own time fails.
create macro trino_utc_text(x) as case
    when regexp_matches(x, '[:T][0-9.,]+ ?([+-][0-9]{2}(:?[0-9]{2})?|[A-Za-z]+(/[A-Za-z_]+)*)$')
        and not regexp_matches(x, '([+-]00(:?00)?|Z|UTC|GMT|Etc/UTC)$')
    then 'NOT_SUPPORTED: local Athena does not support a timestamp with another time zone than UTC here: ' || x
        || '; put it AT TIME ZONE first'
    else x end;
create macro trino_from_iso8601_utc(x) as trino_from_iso8601_timestamp(
    case when starts_with(trino_utc_text(x), 'NOT_') then cast(cast(trino_utc_text(x) as timestamptz) as varchar) else x end);
create macro trino_cast_utc(x varchar) as cast(trino_utc_text(x) as timestamptz), (x) as cast(x as timestamptz);
create macro trino_try_cast_utc(x varchar) as
    case when try_cast(x as timestamptz) is not null then cast(trino_utc_text(x) as timestamptz) end,
    (x) as try_cast(x as timestamptz);
create macro to_iso8601
    (x date) as cast(x as varchar),
    (x timestamp) as strftime(x, '%Y-%m-%dT%H:%M:%S.%g'),
    (x timestamptz) as strftime(x, '%Y-%m-%dT%H:%M:%S.%gZ');

create macro trino_regexp_extract
    (x, pattern) as case when regexp_matches(x, pattern) then regexp_extract(x, pattern) end,
    (x, pattern, number) as case when regexp_matches(x, pattern) then regexp_extract(x, pattern, number) end;
-- What must not be fails by a text that is no number: error() is none of the functions that TRY takes.
create macro trino_array_element(a, i) as a[case
    when a is null or i is null or i between 1 and len(a) then i
    else cast('INVALID_FUNCTION_ARGUMENT: ' || case
        when i = 0 then 'SQL array indices start at 1'
        when i < 0 then 'Array subscript is negative: ' || i
        else 'Array subscript must be less than or equal to array length: ' || i || ' > ' || len(a) end as bigint) end];
create macro trino_element_at(a, i) as a[case
    when i = 0 then cast('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1, not at ' || i as bigint) else i end];
create macro trino_map_value(m, k) as map_values(m)[case
    when m is not null and k is not null then coalesce(
        list_position(map_keys(m), k),
        cast('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || cast(k as varchar) as bigint)) end];
create macro trino_slice(list, start, length) as
    if(start > 0, list[start:start + length - 1],
       list[len(list) + start + 1:least(len(list), len(list) + start + length)]);
create macro zip
    (a, b) as list_transform(list_zip(a, b), lambda z: {'_0': z[1], '_1': z[2]}),
    (a, b, c) as list_transform(list_zip(a, b, c), lambda z: {'_0': z[1], '_1': z[2], '_2': z[3]});
create macro trino_map_entries(m) as list_transform(map_entries(m), lambda e: {'_0': e.key, '_1': e.value});
create macro every(x) as bool_and(x);
create macro map_agg(k, v) as map(list(k) filter (where k is not null), list(v) filter (where k is not null));
create macro arrays_overlap(a, b) as list_has_any(a, b);
create macro trino_array_distinct(a) as list_filter(a, lambda v, i: list_position(a, v) = i);
create macro array_union(a, b) as trino_array_distinct(list_concat(a, b));
create macro trino_has_null(a) as len(list_filter(a, lambda v: v is null)) > 0;
create macro trino_array_max(a) as if(trino_has_null(a), null, list_max(a));
create macro trino_array_min(a) as if(trino_has_null(a), null, list_min(a));
create macro trino_array_position(a, x) as
    cast(if(a is null or x is null, null, coalesce(list_position(a, x), 0)) as bigint);
create macro trino_any(a) as if(list_contains(a, true), true, if(trino_has_null(a), null, false));
create macro trino_all(a) as if(list_contains(a, false), false, if(trino_has_null(a), null, true));
create macro trino_repeat(x, n) as list_transform(generate_series(1, n), lambda i: x);
create macro trim_array(a, n) as a[1:len(a) - n];
create macro ngrams(a, n) as list_transform(generate_series(1, greatest(len(a) - n + 1, 1)), lambda i: a[i:i + n - 1]);
create macro contains_sequence(a, b) as
    len(list_filter(generate_series(1, len(a) - len(b) + 1), lambda i: a[i:i + len(b) - 1] = b)) > 0;
create macro map_union(m) as list_reduce(list(m), lambda a, b: map_concat(a, b));
create macro trino_reverse(x varchar) as reverse(x), (x) as list_reverse(x);
create macro trino_range
    (a date, b) as list_transform(
        generate_series(a, cast(b as date), interval 1 day * if(cast(b as date) < a, -1, 1)), lambda v: cast(v as date)),
    (a, b) as generate_series(a, b, if(b < a, -1, 1));
create macro trino_sequence
    (a date, b, step) as list_transform(generate_series(a, cast(b as date), step), lambda v: cast(v as date)),
    (a, b, step) as generate_series(a, b, step);
create macro codepoint(x) as ord(x);
create macro e() as exp(1.0::double);
create macro nan() as 'nan'::double;
create macro infinity() as 'infinity'::double;
create macro is_finite(x) as isfinite(x);
create macro is_infinite(x) as isinf(x);
create macro hamming_distance(a, b) as hamming(a, b);
create macro width_bucket(x, low, high, n) as
    cast(if(x < low, 0, if(x >= high, n + 1, floor((x - low) * n / cast(high - low as double)) + 1)) as bigint);

-- Java writes a double in scientific notation below 0.001 and from ten million on; DuckDB elsewhere. A cast to varchar
-- is scientific throughout. All of this goes by the text and typeof(): of macros with several overloads DuckDB finds
-- two that fit where it does not know an aggregate's type yet.
create macro trino_scientific(sign, digits, exponent) as
    sign || left(digits, 1) || '.' || coalesce(nullif(rtrim(substr(digits, 2), '0'), ''), '0') || 'E' || exponent;
create macro trino_scientific_text(t) as case
    when t is null then null
    when t in ('nan', '-nan') then 'NaN'
    when t = 'inf' then 'Infinity'
    when t = '-inf' then '-Infinity'
    when contains(t, 'e') then trino_scientific(
        if(t[1] = '-', '-', ''), replace(ltrim(split_part(t, 'e', 1), '-'), '.', ''), cast(split_part(t, 'e', 2) as integer))
    when try_cast(t as double) = 0 then t || 'E0'
    when abs(try_cast(t as double)) >= 1 then trino_scientific(
        if(t[1] = '-', '-', ''), replace(ltrim(t, '-'), '.', ''), len(split_part(ltrim(t, '-'), '.', 1)) - 1)
    else trino_scientific(
        if(t[1] = '-', '-', ''), ltrim(replace(ltrim(t, '-'), '.', ''), '0'),
        len(ltrim(split_part(t, '.', 2), '0')) - len(split_part(t, '.', 2)) - 1) end;
-- Java rounds the digits that a double is written with, C the double itself.
create macro trino_rounded(x, digits) as
    coalesce(cast(round(try_cast(cast(x as varchar) as decimal(38, 18)), digits) as double), cast(x as double));
create macro trino_double_text(t) as case
    when t not in ('nan', '-nan', 'inf', '-inf') and (abs(try_cast(t as double)) >= 1e-3 and abs(try_cast(t as double)) < 1e7
        or try_cast(t as double) = 0) then t
    else trino_scientific_text(t) end;
create macro trino_seconds_text(t) as split_part(t, '.', 1) || '.' || rpad(left(split_part(t, '.', 2), 3), 3, '0');
create macro trino_text_of(t, kind, of_double) as case
    when kind in ('DOUBLE', 'FLOAT') then of_double
    when kind in ('TIME', 'TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS') then trino_seconds_text(t)
    when kind = 'TIMESTAMP WITH TIME ZONE' then trino_seconds_text(left(t, len(t) - 3)) || ' UTC'
    when kind = 'JSON' then case when json_valid(t) then json_extract_string(t, '$') end
    else t end;
create macro trino_text(x) as
    trino_text_of(cast(x as varchar), typeof(x), trino_double_text(cast(x as varchar)));
create macro trino_cast_varchar(x) as
    trino_text_of(cast(x as varchar), typeof(x), trino_scientific_text(cast(x as varchar)));
create macro trino_interval_text(i) as
    if(date_part('month', i) <> 0 or date_part('year', i) <> 0,
        cast(date_part('year', i) as bigint) || '-' || cast(date_part('month', i) as bigint),
        if(epoch_ms(i) < 0, '-', '') || abs(epoch_ms(i)) // 86400000 || ' '
            || strftime(make_timestamp(abs(epoch_ms(i)) % 86400000 * 1000), '%H:%M:%S.%g'));

create macro trino_split(x, delimiter, n) as
    if(len(string_split(x, delimiter)) <= n, string_split(x, delimiter),
       list_append(string_split(x, delimiter)[1:n - 1], array_to_string(string_split(x, delimiter)[n:], delimiter)));
create macro trino_split_part(x, delimiter, n) as string_split(x, delimiter)[case
    when n <= 0 then cast('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero: ' || n as bigint) else n end];
create macro trino_substr
    (x, start) as if(start = 0 or start < -len(x), '', substr(x, start)),
    (x, start, n) as if(start = 0 or start < -len(x), '', substr(x, start, n));
create macro trino_strpos(x, part, n) as
    if(len(string_split(x, part)) <= n, 0, len(array_to_string(string_split(x, part)[1:n], part)) + 1);
create macro trino_split_to_map(x, pairs, values) as map_from_entries(list_transform(string_split(x, pairs), lambda p:
    {'k': split_part(p, values, 1), 'v': substr(p, len(split_part(p, values, 1)) + len(values) + 1)}));
create macro regexp_position(x, pattern) as cast(
    if(regexp_matches(x, pattern), len(regexp_extract(x, '(?s)^(.*?)(?:' || pattern || ')', 1)) + 1, -1) as integer);

create macro from_base(x, radix) as list_reduce(
    list_transform(string_split(lower(x), ''), lambda c: cast(strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) - 1 as bigint)),
    lambda a, v: a * radix + v);
create macro trino_random(low, high) as cast(low + floor(random() * (high - low)) as bigint);
create macro trino_divide_decimals(x, y, scale) as
    trino_decimal_quotient(cast(x as varchar), cast(y as varchar), scale + 0 // cast(y <> 0 as integer));
-- Where the types are not known before the query is planned: decimals would become doubles.
create macro trino_divide_untyped(x, y) as x / case
    when contains(typeof(x) || typeof(y), 'DECIMAL')
    then cast('NOT_SUPPORTED: local Athena does not support this division of decimals; cast both sides to double'
        || left(typeof(x), 0) as integer)
    else y end;
create macro trino_divide(x, y) as case
    when cast(y as double) <> 0 then cast(x as double) / nullif(cast(y as double), 0)
    when x is null or y is null then null
    when cast(x as double) = 0 or isnan(cast(x as double)) then nan()
    else if(cast(x as double) > 0, 1, -1) * infinity() end;
create macro trino_sign(x) as if(x = 0, x, x / abs(x));
create macro trino_bit_count(x, bits) as cast(
    bit_count(if(bits = 64, cast(x as bigint), cast(x as bigint) & ((cast(1 as bigint) << least(bits, 62)) - 1))) as bigint);
create macro bitwise_left_shift(x, n) as x << n;
create macro bitwise_right_shift_arithmetic(x, n) as x >> n;
create macro bitwise_right_shift(x, n) as
    if(x >= 0 or n = 0, x >> n, cast((cast(x as hugeint) + 18446744073709551616) >> cast(n as hugeint) as bigint));
create macro trino_skewness(x) as skewness(x) * (count(x) - 2) / sqrt(count(x) * (count(x) - 1));
create macro trino_entropy(c) as
    coalesce(log2(sum(c)) - sum(if(c > 0, c * log2(greatest(c, 1e-300)), 0.0)) / cast(sum(c) as double), 0.0);

create macro yow(x) as isoyear(x);
create macro current_timezone() as 'UTC';
create macro trino_millisecond(x) as millisecond(x) % 1000;
create macro trino_to_milliseconds(i) as cast(epoch_ms(i) as bigint);

create macro trino_json_parse(x) as
    case when json_valid(x) then cast(trino_sorted_json(x) as json) else cast(x as json) end;
create macro trino_json(j) as case when json_valid(cast(j as varchar)) then cast(j as json) end;
create macro trino_json_scalar(j) as case when json_type(j) not in ('ARRAY', 'OBJECT', 'NULL') then j ->> '$' end;
create macro trino_json_array_length(j) as
    case when json_type(trino_json(j)) = 'ARRAY' then json_array_length(trino_json(j)) end;
create macro json_array_contains(j, x) as
    list_contains(cast(json_extract(trino_json(j), '$[*]') as varchar[]), cast(to_json(x) as varchar));
create macro json_array_get(j, i) as json_extract(trino_json(j), if(i < 0, '$[#' || i || ']', '$[' || i || ']'));
create macro json_size(j, path) as case json_type(trino_json(j), path)
    when 'OBJECT' then len(json_keys(trino_json(j), path))
    when 'ARRAY' then json_array_length(trino_json(j), path)
    else if(json_exists(trino_json(j), path), 0, null) end;
create macro is_json_scalar(j) as json_type(cast(j as json)) not in ('ARRAY', 'OBJECT');

create macro to_base64url(x) as translate(to_base64(x), '+/', '-_');
create macro from_base64url(x) as from_base64(translate(x, '-_', '+/'));
create macro trino_url_encode(x) as replace(replace(replace(url_encode(x), '%20', '+'), '~', '%7E'), '%2A', '*');
create macro trino_url_decode(x) as url_decode(replace(x, '+', ' '));
create macro url_extract_protocol(u) as regexp_extract(u, '^([A-Za-z][^:/?#]*):', 1);
create macro url_extract_host(u) as regexp_extract(u, '^[^:/?#]+://(?:[^/?#@]*@)?(\[[^\]]*\]|[^:/?#]*)', 1);
create macro url_extract_port(u) as
    try_cast(regexp_extract(u, '^[^:/?#]+://(?:[^/?#@]*@)?(?:\[[^\]]*\]|[^:/?#]*):([0-9]+)', 1) as bigint);
create macro url_extract_path(u) as url_decode(regexp_extract(u, '^(?:[^:/?#]+:)?(?://[^/?#]*)?([^?#]*)', 1));
create macro url_extract_query(u) as regexp_extract(u, '^[^?#]*\?([^#]*)', 1);
create macro url_extract_fragment(u) as regexp_extract(u, '#(.*)$', 1);
create macro url_extract_parameter(u, name) as (list_transform(
    list_filter(string_split(url_extract_query(u), '&'), lambda p: split_part(p, '=', 1) = name),
    lambda p: trino_url_decode(substr(p, len(name) + 2))))[1];
