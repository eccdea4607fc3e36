# Clears all traces of the backup extension, after it was removed from Azure.
# Run as administrator, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
$ErrorActionPreference = 'Stop'

function Say([string]$Outcome, [string]$Before, [string]$After, [string]$Note) {
    $line = [ordered]@{ remedy = 'clear_backup_extension_windows'; outcome = $Outcome; before = $Before; after = $After; note = $Note }
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

# The agent must not be stopped from inside Run Command: a scheduled task of its own does it later.
function Later([string]$Name, [string]$Body, [int]$Seconds) {
    $code = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($Body))
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument "-NoProfile -NonInteractive -EncodedCommand $code"
    $trigger = New-ScheduledTaskTrigger -Once -At (Get-Date).AddSeconds($Seconds)
    $who = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -RunLevel Highest
    $null = Register-ScheduledTask -TaskName "vmbackup-$Name" -Action $action -Trigger $trigger -Principal $who -Force
}

try {
    $stamp = (Get-Date).ToUniversalTime().ToString('yyyyMMddTHHmmssZ')
    $folder = 'C:\Packages\Plugins\Microsoft.Azure.RecoveryServices.VMSnapshot'
    $states = foreach ($root in 'HKLM:\SOFTWARE\Microsoft\Windows Azure\HandlerState', 'HKLM:\SOFTWARE\Microsoft\WindowsAzure\HandlerState') {
        Get-ChildItem -LiteralPath $root -ErrorAction SilentlyContinue |
            Where-Object { $_.PSChildName -like 'Microsoft.Azure.RecoveryServices.VMSnapshot_*' } | ForEach-Object { $_.Name }
    }
    $before = "folder $(Test-Path -LiteralPath $folder); states $(@($states).Count)"
    $body = "Stop-Service WindowsAzureGuestAgent -Force`r`n"
    $body += "if (Test-Path -LiteralPath '$folder') { Rename-Item -LiteralPath '$folder' -NewName 'Microsoft.Azure.RecoveryServices.VMSnapshot_old_$stamp' }`r`n"
    $count = 0
    foreach ($state in $states) {
        $count += 1
        $file = "C:\WindowsAzure\vmbackup-$stamp-$count.reg"
        $body += "reg.exe export '$state' '$file' /y; if (`$LASTEXITCODE -eq 0) { reg.exe delete '$state' /f }`r`n"
    }
    $body += "reg.exe add 'HKLM\SOFTWARE\Microsoft\BcdrAgent' /v IsProviderInstalled /t REG_SZ /d False /f`r`n"
    $body += "reg.exe add 'HKLM\SOFTWARE\Microsoft\BcdrAgentPersistentKeys' /v IsCommonProviderInstalled /t REG_SZ /d False /f`r`n"
    $body += "Start-Service WindowsAzureGuestAgent"
    Later 'clear-extension' $body 30
    Say 'scheduled' $before "_old_$stamp" "in 30 s; exports in C:/WindowsAzure/vmbackup-$stamp-*.reg; restart the VM afterwards"
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
