{# What SQL a data contract is: glue_like_sql/<pipeline>/bronze/<table>.json, read by contract_of(table). #}

{% macro text(column) %}nullif(nullif(trim({{ column.name }}), ''), 'NA'){% endmacro %}

{# The value of a column, null where the text is none of its type. #}
{% macro typed(column) %}
{% set values = column.get("values", {}) %}
{% set kind = values.get("format", values.get("type", "string")) %}
{% if kind == "integer" %}try_cast(raw_{{ column.name }} as bigint)
{%- elif kind == "number" %}if(is_finite(try_cast(raw_{{ column.name }} as double)), try_cast(raw_{{ column.name }} as double))
{%- elif kind == "boolean" %}case lower(raw_{{ column.name }}) when 'true' then true when 'false' then false end
{%- elif kind == "date" %}try_cast(replace(raw_{{ column.name }}, '/', '-') as date)
{%- elif kind == "date-time" %}try_cast(replace(replace(replace(raw_{{ column.name }}, '/', '-'), 'T', ' '), 'Z', '') as timestamp(3))
{%- else %}raw_{{ column.name }}
{%- endif %}
{% endmacro %}

{% macro literal(value) %}{{ "'" ~ value | replace("'", "''") ~ "'" if value is string else value }}{% endmacro %}

{# For SQL with rules of its own: `column (minimum to maximum)` where a value is not between the column's bounds. #}
{% macro outside(table, name, value) %}
{% set values = (contract_of(table).columns | selectattr("name", "equalto", name) | first)["values"] -%}
if({{ value }} not between {{ values.minimum }} and {{ values.maximum }}, '{{ name }} ({{ values.minimum }} to {{ values.maximum }})')
{%- endmacro %}

{# Each rule of a column that a row breaks, as `column: rule`; each begins with a comma. Athena's functions take 254
   arguments at most: a column's rules are one of them. #}
{% macro broken(column) %}
{% set name, values = column.name, column.get("values", {}) %}
{% set kind = values.get("format", values.get("type", "string")) %}
{% if column.get("required") %}
                , if(raw_{{ name }} is null, '{{ name }}: is missing')
{%- endif %}
{% if kind != "string" %}
                , if(raw_{{ name }} is not null and {{ name }} is null, '{{ name }}: is no {{ kind }}')
{%- endif %}
{% if "minimum" in values %}
                , if({{ name }} < {{ values.minimum }}, '{{ name }}: is less than {{ values.minimum }}')
{%- endif %}
{% if "maximum" in values %}
                , if({{ name }} > {{ values.maximum }}, '{{ name }}: is more than {{ values.maximum }}')
{%- endif %}
{% if "enum" in values %}
                , if({{ name }} not in ({% for value in values.enum %}{{ literal(value) }}{{ ", " if not loop.last }}{% endfor %}), '{{ name }}: is none of {{ values.enum | join(", ") | replace("'", "''") }}')
{%- endif %}
{% endmacro %}

{# One row per row of a bronze table: typed by its contract, with what it breaks of it (null = usable). #}
{% macro checked(table, bronze, months) %}
{% set contract = contract_of(table) %}
{% set names = contract.columns | map(attribute="name") | list %}
with

raw_rows as (

    select
        year || '-' || month as file_month,
{% for column in contract.columns %}
        {{ text(column) }} as raw_{{ column.name }}{{ "," if not loop.last }}
{% endfor %}
    from {{ bronze }}.{{ table }}
    where year || '-' || month in ('{{ months | join("', '") }}')
        -- The same of each key, by which Athena knows which folders to look into.
        and year between '{{ (months | min)[:4] }}' and '{{ (months | max)[:4] }}'
        and month in ({% for month in months %}'{{ month[5:] }}'{{ ", " if not loop.last }}{% endfor %})

),

typed as (

    select
        *,
{% for column in contract.columns %}
        {{ typed(column) | trim }} as {{ column.name }}{{ "," if not loop.last }}
{% endfor %}
    from raw_rows

),

judged as (

    select
        *,
        nullif(concat_ws('; ',
{% for column in contract.columns %}
            nullif(concat_ws('; ', cast(null as varchar){{ broken(column) }}
            ), ''),
{% endfor %}
{% if contract.time is defined %}
            if(date_format({{ contract.time }}, '%Y-%m') <> file_month, '{{ contract.time }}: is not of the file''s month'),
{% endif %}
            cast(null as varchar)
        ), '') as broken_rules
    from typed

),

ranked as (

    select
        *,
        -- The same key twice: a usable row counts before one that isn't. Every column is among what decides, so that
        -- which row wins is never left to the order in which they are read.
        row_number() over (
            partition by file_month, {{ contract.key | join(", ") }}
            order by broken_rules nulls first, raw_{{ names | join(", raw_") }}
        ) as rank_in_key
    from judged

)

select
{% for name in names %}
    {{ name }},
{% endfor %}
    case
        when broken_rules is not null then broken_rules
        when rank_in_key > 1 then '{{ contract.key | join(", ") }}: comes more than once in a month'
    end as quarantine_reason,
    if(broken_rules is not null or rank_in_key > 1, cast(json_object(
        {% for name in names %}'{{ name }}': raw_{{ name }}{{ ", " if not loop.last }}{% endfor %}
    
    ) as varchar)) as raw_row,
    file_month as month
from ranked
{% endmacro %}
