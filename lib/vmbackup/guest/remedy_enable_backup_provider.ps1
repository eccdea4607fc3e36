# Sets the service IaaSVmProvider to start automatically.
# Run as administrator, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
$ErrorActionPreference = 'Stop'

function Say([string]$Outcome, [string]$Before, [string]$After, [string]$Note) {
    $line = [ordered]@{ remedy = 'enable_backup_provider'; outcome = $Outcome; before = $Before; after = $After; note = $Note }
    Write-Output ('VMBACKUP REMEDY 1 ' + ($line | ConvertTo-Json -Compress))
}

try {
    $service = Get-Service -Name 'IaaSVmProvider' -ErrorAction SilentlyContinue
    if (-not $service) { Say 'failed' '' '' 'The service IaaSVmProvider is missing: the next backup installs it.'; exit 1 }
    $before = [string]$service.StartType
    if ($before -eq 'Automatic') { Say 'already' $before $before ''; exit 0 }
    Set-Service -Name 'IaaSVmProvider' -StartupType Automatic
    Say 'done' $before ([string](Get-Service -Name 'IaaSVmProvider').StartType) ''
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
