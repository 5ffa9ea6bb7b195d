-- One row per record that the endpoint was asked for and has answered: what the model was told, and its prediction, by the
-- id that the question was given, if any.
-- Reads: gold's table over captured traffic.  Params: captured, first_hour and last_hour (yyyy/MM/dd/HH), since (ISO),
-- features ([{name, type}]), prediction (the answer's member), are_categories (whether that is a text).
select
    {% for feature in features %}
    {% set value = "json_extract_scalar(record, '$." ~ feature.name ~ "')" %}
    {{ value if feature.type == "string" else "try_cast(" ~ value ~ " as double)" }} as {{ feature.name }},
    {% endfor %}
    {% set answered = "json_extract_scalar(reply, '$." ~ prediction ~ "')" %}
    {{ answered if are_categories else "try_cast(" ~ answered ~ " as double)" }} as prediction,
    if(cardinality(records) = 1, inference_id) as inference_id, -- of a list it is nobody's in particular
    inferred_at
from (
    select
        inference_id,
        inferred_at,
        -- A request is one record or a list of them; the answer to a list has them under `predictions`.
        if(json_array_length(request) is null, array[request], cast(request as array(json))) as records,
        if(
            json_array_length(request) is null,
            array[answer],
            cast(json_extract(answer, '$.predictions') as array(json))
        ) as replies
    from (
        select
            -- Anybody may ask, and not everybody in JSON.
            try(json_parse(capturedata.endpointinput.data)) as request,
            try(json_parse(capturedata.endpointoutput.data)) as answer,
            eventmetadata.inferenceid as inference_id,
            eventmetadata.inferencetime as inferred_at
        from {{ captured }}
        where hour between '{{ first_hour }}' and '{{ last_hour }}'
            and eventmetadata.inferencetime >= '{{ since }}'
            and capturedata.endpointinput.encoding = 'JSON'
            and capturedata.endpointoutput.encoding = 'JSON'
            -- What a deployment asks before anybody else does is no traffic.
            and not contains(coalesce(eventmetadata.customattributes, array[]), 'smoke-test')
    )
    where request is not null and answer is not null
)
cross join unnest(records, replies) as asked (record, reply)
