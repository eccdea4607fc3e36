# Restarts the Volume Shadow Copy service and the services behind writers that are not stable.
# Run as administrator, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
$ErrorActionPreference = 'Stop'

function Say([string]$Outcome, [string]$Before, [string]$After, [string]$Note) {
    $line = [ordered]@{ remedy = 'restart_vss'; outcome = $Outcome; before = $Before; after = $After; note = $Note }
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

try {
    $services = @{ 'WMI Writer' = 'Winmgmt'; 'BITS Writer' = 'BITS'; 'System Writer' = 'CryptSvc'; 'IIS Config Writer' = 'AppHostSvc'
        'IIS Metabase Writer' = 'IISADMIN'; 'MSSearch Service Writer' = 'WSearch'; 'COM+ REGDB Writer' = 'VSS'; 'Registry Writer' = 'VSS'
        'Shadow Copy Optimization Writer' = 'VSS'; 'ASR Writer' = 'VSS'; 'DHCP Jet Writer' = 'DHCPServer'; 'TermServLicensing' = 'TermServLicensing' }
    function Unstable {
        $name = ''
        foreach ($line in (vssadmin.exe list writers)) {
            if ($line -match "'(.+)'\s*$") { $name = $Matches[1] }
            elseif ($line -match '\[(\d+)\]' -and $name) { if ($Matches[1] -ne '1') { $name }; $name = '' }
        }
    }
    $before = @(Unstable) -join ', '
    $restart = @('VSS') + @(Unstable | ForEach-Object { $services[$_] } | Where-Object { $_ }) | Select-Object -Unique
    foreach ($name in $restart) {
        if (Get-Service -Name $name -ErrorAction SilentlyContinue) { Restart-Service -Name $name -Force -ErrorAction Continue }
    }
    Set-Value 'HKLM:\SOFTWARE\Microsoft\BcdrAgentPersistentKeys' 'SnapshotWithoutThreads' 'True' 'String'
    $after = @(Unstable) -join ', '
    if ($after) { Say 'failed' $before $after 'Writers are still not stable: restart the VM in a maintenance window.'; exit 1 }
    Say 'done' $before $after ($restart -join ', ')
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
