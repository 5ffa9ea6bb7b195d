-- One row per line of the raw CSV files of scheduled departures, one folder a month.
-- Reads: s3://bronze_bucket/flights/.  Params: bronze, bronze_bucket.
-- The files' own year and month are flight_year and flight_month: the partition columns carry the plain names.
create external table if not exists {{ bronze }}.flights (
    flight_year string,
    flight_month string,
    day string,
    dep_time string,
    sched_dep_time string,
    dep_delay string,
    arr_time string,
    sched_arr_time string,
    arr_delay string,
    carrier string,
    flight string,
    tailnum string,
    origin string,
    dest string,
    air_time string,
    distance string,
    hour string,
    minute string,
    time_hour string
)
partitioned by (year string, month string)
row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
stored as textfile
location 's3://{{ bronze_bucket }}/flights/'
tblproperties ('skip.header.line.count' = '1')
