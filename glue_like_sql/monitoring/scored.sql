-- One row per row of the newest month that a batch has scored by that model: its prediction.
-- Reads: a gold table of predictions.  Params: scored (the table), column, model (the name of the model package).
select {{ column }} as prediction
from {{ scored }}
where model = '{{ model }}'
    and month = (select max(month) from {{ scored }} where model = '{{ model }}')
