# Sets the service IaaSVmProvider to start automatically.
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
