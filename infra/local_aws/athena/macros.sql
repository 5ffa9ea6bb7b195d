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

create macro trino_text
    (x date) as cast(x as varchar),
    (x timestamp) as strftime(x, '%Y-%m-%d %H:%M:%S.%g'),
    (x timestamptz) as strftime(x, '%Y-%m-%d %H:%M:%S.%g UTC'),
    (x) as cast(x as varchar);

create macro trino_add(x date, i) as cast(x + i as date), (x, i) as x + i;
create macro trino_subtract(x date, i interval) as cast(x - i as date), (x, i) as x - i;
create macro trino_truncate(part, x date) as cast(date_trunc(part, x) as date), (part, x) as date_trunc(part, x);
create macro trino_at_timezone(x timestamp, z) as timezone(z, cast(x as timestamptz)), (x timestamptz, z) as timezone(z, x);
create macro with_timezone(x, z) as timezone(z, cast(x as timestamp));
create macro trino_from_iso8601_timestamp(x) as cast(
    case when x is null
            or regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}(:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?')
        then x else x || '?' end as timestamptz);
create macro to_iso8601
    (x date) as cast(x as varchar),
    (x timestamp) as strftime(x, '%Y-%m-%dT%H:%M:%S.%g'),
    (x timestamptz) as strftime(x, '%Y-%m-%dT%H:%M:%S.%gZ');

create macro trino_regexp_extract
    (x, pattern) as case when regexp_matches(x, pattern) then regexp_extract(x, pattern) end,
    (x, pattern, number) as case when regexp_matches(x, pattern) then regexp_extract(x, pattern, number) end;
create macro trino_slice(list, start, length) as
    if(start > 0, list[start:start + length - 1],
       list[len(list) + start + 1:least(len(list), len(list) + start + length)]);
create macro zip
    (a, b) as list_zip(a, b),
    (a, b, c) as list_zip(a, b, c);
create macro every(x) as bool_and(x);
create macro map_agg(k, v) as map(list(k) filter (where k is not null), list(v) filter (where k is not null));
create macro arrays_overlap(a, b) as list_has_any(a, b);
create macro array_union(a, b) as list_distinct(list_concat(a, b));
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
create macro json_size(j, path) as len(json_extract(j, path || '[*]'));
create macro width_bucket(x, low, high, n) as
    cast(if(x < low, 0, if(x >= high, n + 1, floor((x - low) * n / cast(high - low as double)) + 1)) as bigint);

-- Java writes a double in scientific notation below 0.001 and from ten million on; DuckDB elsewhere.
create macro trino_scientific(sign, digits, exponent) as
    sign || left(digits, 1) || '.' || coalesce(nullif(rtrim(substr(digits, 2), '0'), ''), '0') || 'E' || exponent;
create macro trino_double_text(t) as case
    when t is null then null
    when t = 'nan' then 'NaN'
    when t = 'inf' then 'Infinity'
    when t = '-inf' then '-Infinity'
    when contains(t, 'e') then trino_scientific(
        if(t[1] = '-', '-', ''), replace(ltrim(split_part(t, 'e', 1), '-'), '.', ''), cast(split_part(t, 'e', 2) as integer))
    when abs(cast(t as double)) >= 1e7 then trino_scientific(
        if(t[1] = '-', '-', ''), replace(ltrim(t, '-'), '.', ''), len(split_part(ltrim(t, '-'), '.', 1)) - 1)
    when abs(cast(t as double)) < 1e-3 and cast(t as double) <> 0 then trino_scientific(
        if(t[1] = '-', '-', ''), ltrim(replace(ltrim(t, '-'), '.', ''), '0'),
        len(ltrim(split_part(t, '.', 2), '0')) - len(split_part(t, '.', 2)) - 1)
    else t end;
