# Lets VM backups be VSS copy backups.
# Run as administrator, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
$ErrorActionPreference = 'Stop'

function Say([string]$Outcome, [string]$Before, [string]$After, [string]$Note) {
    $line = [ordered]@{ remedy = 'set_vss_copy_backup'; outcome = $Outcome; before = $Before; after = $After; note = $Note }
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
    $key = 'HKLM:\SOFTWARE\Microsoft\BcdrAgent'
    $before = Get-Value $key 'USEVSSCOPYBACKUP'
    if ($before -eq 'TRUE') { Say 'already' $before $before ''; exit 0 }
    Set-Value $key 'USEVSSCOPYBACKUP' 'TRUE' 'String'
    Say 'done' $before (Get-Value $key 'USEVSSCOPYBACKUP') ''
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
