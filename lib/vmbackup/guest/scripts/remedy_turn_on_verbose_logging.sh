# Sets Logs.Verbose=y in waagent.conf.
set_to_yes Logs.Verbose
