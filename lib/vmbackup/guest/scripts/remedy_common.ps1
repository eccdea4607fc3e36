# Run as administrator, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
$ErrorActionPreference = 'Stop'

if ($PSVersionTable.PSVersion.Major -lt 5) {
    $note = 'This needs Windows PowerShell 5.1: install it, or do it by hand.'
    Write-Output ('VMBACKUP REMEDY 1 {"remedy":"' + $Remedy + '","outcome":"failed","before":"","after":"","note":"' + $note + '"}')
    exit 1
}

function Say([string]$Outcome, [string]$Before, [string]$After, [string]$Note) {
    $line = [ordered]@{ remedy = $Remedy; outcome = $Outcome; before = $Before; after = $After; note = $Note }
    Write-Output ('VMBACKUP REMEDY 1 ' + ($line | ConvertTo-Json -Compress))
}

function Set-Value([string]$Key, [string]$Name, $Value, [string]$Type) {
    if (-not (Test-Path -LiteralPath $Key)) { $null = New-Item -Path $Key -Force }
    $null = New-ItemProperty -LiteralPath $Key -Name $Name -Value $Value -PropertyType $Type -Force
}

function Get-Value([string]$Key, [string]$Name) {
    $found = Get-ItemProperty -LiteralPath $Key -Name $Name -ErrorAction SilentlyContinue
    if ($found) { [string]$found.$Name } else { '' }
}

# The agent must not be stopped from inside Run Command: a scheduled task of its own does it later and removes itself,
# however its work ends. Where it never gets to run, Windows removes it after an hour.
function Later([string]$Name, [string]$Body, [int]$Seconds) {
    $task = "vmbackup-$Name"
    $whole = "try {`r`n$Body`r`n} finally { schtasks.exe /Delete /TN '$task' /F }"
    $code = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($whole))
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument "-NoProfile -NonInteractive -EncodedCommand $code"
    $trigger = New-ScheduledTaskTrigger -Once -At (Get-Date).AddSeconds($Seconds)
    $trigger.EndBoundary = (Get-Date).AddHours(1).ToString('s')
    $settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -DeleteExpiredTaskAfter (New-TimeSpan -Minutes 1)
    $who = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -RunLevel Highest
    $null = Register-ScheduledTask -TaskName $task -Action $action -Trigger $trigger -Settings $settings -Principal $who -Force
}
