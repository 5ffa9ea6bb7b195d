-- One row: of each number among the features the deciles from the first to the ninth, as a JSON array.
-- Reads: what training.sql reads.  Params: its own, and numbers (names).
with

rows as (

{% include "training.sql" %}

)

select
    {% for name in numbers %}
    json_format(
        cast(approx_percentile({{ name }}, array[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) as json)
    ) as {{ name }}{{ "," if not loop.last }}
    {% endfor %}
from rows
