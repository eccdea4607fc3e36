# Starts COM+ and the Distributed Transaction Coordinator.
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
