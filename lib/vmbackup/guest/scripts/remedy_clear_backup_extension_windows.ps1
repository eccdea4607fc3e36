# Clears all traces of the backup extension, after it was removed from Azure.
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
