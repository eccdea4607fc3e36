# Lets .NET programs use TLS 1.2.
# Run as administrator, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
$ErrorActionPreference = 'Stop'

function Say([string]$Outcome, [string]$Before, [string]$After, [string]$Note) {
    $line = [ordered]@{ remedy = 'enable_strong_crypto'; outcome = $Outcome; before = $Before; after = $After; note = $Note }
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
    $added = @()
    foreach ($root in 'HKLM:\SOFTWARE\Microsoft\.NETFramework', 'HKLM:\SOFTWARE\Wow6432Node\Microsoft\.NETFramework') {
        foreach ($version in 'v2.0.50727', 'v4.0.30319') {
            $key = "$root\$version"
            if ((Test-Path -LiteralPath $key) -and (Get-Value $key 'SchUseStrongCrypto') -ne '1') {
                Set-Value $key 'SchUseStrongCrypto' 1 'DWord'
                $added += $key
            }
        }
    }
    if (-not $added) { Say 'already' '1' '1' ''; exit 0 }
    Say 'done' '' '1' ($added -join ', ')
} catch {
    Say 'failed' '' '' $_.Exception.Message
    exit 1
}
