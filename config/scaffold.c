typedef int aff_config_scaffold;
