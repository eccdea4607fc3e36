# Sets Extensions.Enabled=y in waagent.conf.
set_to_yes Extensions.Enabled
