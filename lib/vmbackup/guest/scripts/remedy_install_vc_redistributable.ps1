# Installs the Visual C++ redistributable that the backup extension brings.
try {
    $before = [string](Get-Service -Name 'msiserver').StartType
    if ($before -eq 'Disabled') { Set-Service -Name 'msiserver' -StartupType Manual }
    $file = Get-ChildItem -Path 'C:\Packages\Plugins\Microsoft.Azure.RecoveryServices.VMSnapshot' -Filter 'vcredist2013_x64*.exe' -Recurse |
        Sort-Object LastWriteTime | Select-Object -Last 1
    if (-not $file) { Say 'failed' $before '' 'vcredist2013_x64 is not in the folder of the extension.'; exit 1 }
    $run = Start-Process -FilePath $file.FullName -ArgumentList '/install', '/quiet', '/norestart' -Wait -PassThru
    $after = "msiserver $((Get-Service -Name 'msiserver').StartType), exit code $($run.ExitCode)"
    if ($run.ExitCode -notin 0, 1638, 3010) { Say 'failed' $before $after ''; exit 1 }
    Say 'done' $before $after ''
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
