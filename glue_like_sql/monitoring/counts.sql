-- One row: how many rows there are, and how many of them lie in each bin of each feature and of the prediction.
-- Reads: what training.sql or captured.sql reads.  Params: theirs, rows (the name of the file), and bins
-- ([{column, name, edges or categories}]): below the first edge is bin 0, and so is all without an edge; no category
-- is the last bin but for missing.
with

rows as (

{% include rows %}

)

select
    {% for bin in bins %}
    count_if({{ bin.name }} is null) as {{ bin.column }}_missing,
    {% if bin.edges is defined %}
    {% for edge in bin.edges %}
    count_if({{ bin.name }} < {{ edge }}{{ " and %s >= %s" | format(bin.name, loop.previtem) if not loop.first }}) as {{ bin.column }}_{{ loop.index0 }},
    {% endfor %}
    count_if({{ bin.name }} {{ ">= %s" | format(bin.edges | last) if bin.edges else "is not null" }}) as {{ bin.column }}_{{ bin.edges | length }},
    {% else %}
    {% for category in bin.categories %}
    count_if({{ bin.name }} = '{{ category | replace("'", "''") }}') as {{ bin.column }}_{{ loop.index0 }},
    {% endfor %}
    count_if({{ bin.name }} not in ('{{ bin.categories | map("replace", "'", "''") | join("', '") }}')) as {{ bin.column }}_{{ bin.categories | length }},
    {% endif %}
    {% endfor %}
    count(*) as row_count
from rows
