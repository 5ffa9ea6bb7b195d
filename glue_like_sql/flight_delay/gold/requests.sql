-- One row per flight of the months: its key, and what the model is told of it, as requests of a batch transform job.
-- Reads: silver.flight_features.  Params: silver, months (list of yyyy-mm).
{% set features = {
    "carrier": "varchar",
    "origin": "varchar",
    "day_of_week": "integer",
    "scheduled_hour": "integer",
    "scheduled_minute": "integer",
    "scheduled_duration_minutes": "integer",
    "distance_miles": "double",
    "origin_scheduled_flight_count": "bigint",
    "plane_age_years": "integer",
    "plane_seat_count": "integer",
    "plane_turn_minutes": "bigint",
    "temperature_fahrenheit": "double",
    "dew_point_fahrenheit": "double",
    "humidity_percent": "double",
    "wind_direction_degrees": "double",
    "wind_speed_mph": "double",
    "wind_gust_mph": "double",
    "precipitation_inches": "double",
    "pressure_millibars": "double",
    "visibility_miles": "double",
    "origin_departure_count_1h": "bigint",
    "origin_departure_delay_minutes_1h": "double",
    "origin_departure_delay_minutes_3h": "double",
    "origin_late_departure_share_3h": "double",
    "origin_departure_delay_minutes_24h": "double",
    "origin_arrival_delay_minutes_3h": "double",
    "carrier_departure_delay_minutes_3h": "double",
    "carrier_departure_delay_minutes_24h": "double",
    "carrier_arrival_delay_minutes_7d": "double",
    "destination_arrival_delay_minutes_3h": "double",
    "destination_arrival_delay_minutes_24h": "double",
    "route_arrival_delay_minutes_7d": "double",
    "flight_arrival_delay_minutes_21d": "double",
    "flight_late_arrival_share_21d": "double",
    "plane_last_delay_minutes_24h": "double",
    "plane_idle_minutes_24h": "double",
} %}
select
    cast(
        row(carrier, flight_number, origin, date_format(scheduled_departure_at, '%Y-%m-%d %H:%i:%s'), month)
        as row(carrier varchar, flight_number integer, origin varchar, scheduled_departure_at varchar, month varchar)
    ) as record_key,
    cast(
        row({{ features | join(", ") }})
        as row({% for name, type in features.items() %}{{ name }} {{ type }}{{ ", " if not loop.last }}{% endfor %})
    ) as features
from {{ silver }}.flight_features
where month in ('{{ months | join("', '") }}')
