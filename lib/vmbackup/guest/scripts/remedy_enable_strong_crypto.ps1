# Lets .NET programs use TLS 1.2.
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
