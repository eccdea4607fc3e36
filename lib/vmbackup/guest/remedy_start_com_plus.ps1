# Starts COM+ and the Distributed Transaction Coordinator.
# Run as administrator, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
$ErrorActionPreference = 'Stop'

function Say([string]$Outcome, [string]$Before, [string]$After, [string]$Note) {
    $line = [ordered]@{ remedy = 'start_com_plus'; outcome = $Outcome; before = $Before; after = $After; note = $Note }
    Write-Output ('VMBACKUP REMEDY 1 ' + ($line | ConvertTo-Json -Compress))
}

try {
    $names = 'COMSysApp', 'MSDTC'
    function State { ($names | ForEach-Object { $s = Get-Service -Name $_; "$($s.Name) $($s.Status) $($s.StartType)" }) -join ', ' }
    $before = State
    foreach ($name in $names) {
        if ((Get-Service -Name $name).StartType -eq 'Disabled') { Set-Service -Name $name -StartupType Manual }
        Start-Service -Name $name
    }
    Say 'done' $before (State) ''
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
