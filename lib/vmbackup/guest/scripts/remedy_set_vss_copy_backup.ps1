# Lets VM backups be VSS copy backups.
try {
    $key = 'HKLM:\SOFTWARE\Microsoft\BcdrAgent'
    $before = Get-Value $key 'USEVSSCOPYBACKUP'
    if ($before -eq 'TRUE') { Say 'already' $before $before ''; exit 0 }
    Set-Value $key 'USEVSSCOPYBACKUP' 'TRUE' 'String'
    Say 'done' $before (Get-Value $key 'USEVSSCOPYBACKUP') ''
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
