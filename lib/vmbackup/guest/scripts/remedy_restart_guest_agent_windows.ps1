# Sets the guest agent's services to start automatically and restarts them.
try {
    $names = 'RdAgent', 'WindowsAzureGuestAgent'
    $services = Get-Service -Name $names -ErrorAction SilentlyContinue
    $before = ($services | ForEach-Object { "$($_.Name) $($_.Status) $($_.StartType)" }) -join ', '
    if (@($services).Count -lt 2) {
        Say 'failed' $before '' 'A service of the agent is missing: reinstall the agent.'
        exit 1
    }
    foreach ($name in $names) { Set-Service -Name $name -StartupType Automatic }
    Later 'restart-agent' 'Restart-Service RdAgent -Force; Restart-Service WindowsAzureGuestAgent -Force' 30
    Say 'scheduled' $before 'Automatic' 'restart in 30 s by the scheduled task vmbackup-restart-agent'
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
