# Downloads the current VM agent and installs it.
# Run as administrator, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
$ErrorActionPreference = 'Stop'

function Say([string]$Outcome, [string]$Before, [string]$After, [string]$Note) {
    $line = [ordered]@{ remedy = 'reinstall_guest_agent'; outcome = $Outcome; before = $Before; after = $After; note = $Note }
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
    $before = [string](Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\GuestAgent' -ErrorAction SilentlyContinue).GuestAgentVersion
    $msi = Join-Path $env:SystemRoot 'Temp\vmbackup-agent.msi'
    [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
    Invoke-WebRequest -UseBasicParsing -Uri 'https://go.microsoft.com/fwlink/?LinkID=394789' -OutFile $msi
    $signed = Get-AuthenticodeSignature -FilePath $msi
    if ($signed.Status -ne 'Valid' -or $signed.SignerCertificate.Subject -notmatch 'O=Microsoft Corporation') {
        Say 'failed' $before $before 'The downloaded file is not signed by Microsoft.'
        exit 1
    }
    $log = Join-Path $env:SystemRoot 'Temp\vmbackup-agent.log'
    Later 'reinstall-agent' "Start-Process msiexec.exe -Wait -ArgumentList '/i', '$msi', '/quiet', '/norestart', '/l*v', '$log'; Start-Service RdAgent, WindowsAzureGuestAgent" 30
    Say 'scheduled' $before '' "installation in 30 s, log in $log"
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
