"""The functions that Athena has and local Athena does not: they are refused by name, unlike those that nobody has."""

NOT_CARRIED_OUT_PREFIXES = ("st_", "bing_tile", "geometry_", "great_circle", "learn_", "regress", "theta_sketch")

NOT_CARRIED_OUT = frozenset(
    """
    approx_most_frequent approx_set array_histogram bar beta_cdf cardinality_approx checksum classify color combinations
    convex_hull_agg cosine_similarity current_catalog current_schema empty_approx_set evaluate_classifier_predictions
    features format_number from_encoded_polyline from_geojson_geometry from_ieee754_32 from_unixtime_nanos
    hash_counts hmac_md5 hmac_sha1 human_readable_seconds intersection_cardinality inverse_beta_cdf inverse_normal_cdf
    jaccard_index json_exists line_interpolate_point line_locate_point luhn_check make_set_digest map_zip_with merge
    merge_set_digest multimap_agg multimap_from_entries murmur3 normal_cdf numeric_histogram objectid parse_data_size
    parse_duration parse_presto_data_size qdigest_agg quantile_at_value reduce_agg render rgb shuffle simplify_geometry
    spatial_partitioning spatial_partitions spooky_hash_v2_32 spooky_hash_v2_64 split_to_multimap tdigest_agg
    timezone_hour timezone_minute to_encoded_polyline to_geojson_geometry to_geometry to_ieee754_32
    to_spherical_geography value_at_quantile values_at_quantiles wilson_interval_lower wilson_interval_upper word_stem
    """.split()
)
