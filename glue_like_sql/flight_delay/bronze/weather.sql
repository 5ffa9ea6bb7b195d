-- One row per line of the raw JSON Lines files of hourly weather at the origins, one folder a month.
-- Reads: s3://bronze_bucket/weather/.  Params: bronze, bronze_bucket.
-- Text throughout: a value that isn't a number is for the quarantine to tell of, not for a failed query.
create external table if not exists {{ bronze }}.weather (
    origin string,
    day string,
    hour string,
    temp string,
    dewp string,
    humid string,
    wind_dir string,
    wind_speed string,
    wind_gust string,
    precip string,
    pressure string,
    visib string,
    time_hour string
)
partitioned by (year string, month string)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
with serdeproperties ('ignore.malformed.json' = 'true')
stored as textfile
location 's3://{{ bronze_bucket }}/weather/'
