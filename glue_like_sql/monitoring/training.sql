-- One row per row that the model has learned from: its features.
-- Reads: silver's feature table.  Params: feature_table, months (list of yyyy-mm), features ([{name, type}]).
select
    {% for feature in features %}
    {{ feature.name if feature.type == "string" else "cast(" ~ feature.name ~ " as double)" }} as {{ feature.name }},
    {% endfor %}
    cast(null as double) as prediction
from {{ feature_table }}
where month in ('{{ months | join("', '") }}')
