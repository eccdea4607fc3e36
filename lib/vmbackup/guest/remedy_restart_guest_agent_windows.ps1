# Sets the guest agent's services to start automatically and restarts them.
# Run as administrator, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
$ErrorActionPreference = 'Stop'

function Say([string]$Outcome, [string]$Before, [string]$After, [string]$Note) {
    $line = [ordered]@{ remedy = 'restart_guest_agent_windows'; outcome = $Outcome; before = $Before; after = $After; note = $Note }
    Write-Output ('VMBACKUP REMEDY 1 ' + ($line | ConvertTo-Json -Compress))
}

# The agent must not be stopped from inside Run Command: a scheduled task of its own does it later.
function Later([string]$Name, [string]$Body, [int]$Seconds) {
    $code = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($Body))
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument "-NoProfile -NonInteractive -EncodedCommand $code"
    $trigger = New-ScheduledTaskTrigger -Once -At (Get-Date).AddSeconds($Seconds)
    $who = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -RunLevel Highest
    $null = Register-ScheduledTask -TaskName "vmbackup-$Name" -Action $action -Trigger $trigger -Principal $who -Force
}

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
