# Guest probe of vmbackup for Windows: read-only, PowerShell 2 to PowerShell 7, 64-bit, no modules of its own.
# It changes no file, no registry value and no service; README.md beside it has the contract of its output.
# One block, so that it can be pasted into a console as a whole. Plain ASCII, so that no encoding can spoil it.
# PowerShell 2 knows no [ordered], no -in, no Get-CimInstance, only .NET 3.5, and runs a loop over $null once.
& {
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue'
    $mostBytes = 4000
    if ([string]$ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        Write-Output 'vmbackup: application control keeps PowerShell from running this script (constrained language mode).'
        return
    }
    if ($env:PROCESSOR_ARCHITEW6432) {
        Write-Output 'vmbackup: this is the 32-bit PowerShell, which sees other files; start the 64-bit one.'
        return
    }
    $before = @(Get-ChildItem -Path 'function:' | ForEach-Object { $_.Name })

    # --- JSON: ConvertTo-Json differs between versions (depth, dates, wrapped arrays), this does not ---------------

    function ConvertTo-JsonString {
        param($text)
        $out = New-Object System.Text.StringBuilder
        if ($text.Length -gt 180) { $text = $text.Substring(0, 177) + '...' }
        foreach ($char in $text.ToCharArray()) {
            $code = [int]$char
            if ($code -eq 34 -or $code -eq 92) {
                [void]$out.Append('\').Append($char)
            } elseif ($code -lt 32) {
                [void]$out.Append(' ')
            } elseif ($code -gt 126) {
                [void]$out.Append('\u').Append($code.ToString('x4'))
            } else {
                [void]$out.Append($char)
            }
        }
        return '"' + $out.ToString() + '"'
    }

    function ConvertTo-JsonText {
        param($value)
        $invariant = [System.Globalization.CultureInfo]::InvariantCulture
        if ($null -eq $value) { return 'null' }
        if ($value -is [bool]) { return $value.ToString().ToLowerInvariant() }
        if ($value -is [string]) { return ConvertTo-JsonString $value }
        if ($value -is [double] -or $value -is [decimal]) { return $value.ToString('0.###', $invariant) }
        if ($value -is [System.ValueType] -and $value -isnot [enum] -and $value -isnot [char]) {
            return [System.Convert]::ToString($value, $invariant)
        }
        $parts = New-Object System.Collections.ArrayList
        if ($value -is [System.Collections.IDictionary]) {
            foreach ($key in @($value.Keys)) {
                [void]$parts.Add((ConvertTo-JsonString ([string]$key)) + ':' + (ConvertTo-JsonText $value[$key]))
            }
            return '{' + ($parts -join ',') + '}'
        }
        if ($value -is [System.Collections.IEnumerable]) {
            foreach ($item in @($value)) { [void]$parts.Add((ConvertTo-JsonText $item)) }
            return '[' + ($parts -join ',') + ']'
        }
        return ConvertTo-JsonString ([string]$value)
    }

    # --- Registry: a key that is not there is null, one that may not be read is an error ---------------------------

    function Open-RegistryKey {
        param($path)
        return [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($path)
    }

    function Read-RegistryValue {
        param($path, $name)
        $key = Open-RegistryKey $path
        if ($null -eq $key) { return $null }
        return $key.GetValue($name)
    }

    function Read-RegistryText {
        param($path, $name)
        $value = Read-RegistryValue $path $name
        if ($null -eq $value) { return $null }
        return [string]$value
    }

    # Values by name, and whether there are more of them.
    function Read-RegistryValues {
        param($path)
        $found = @{}
        $names = @()
        $key = Open-RegistryKey $path
        if ($null -ne $key) { $names = @($key.GetValueNames()) }
        foreach ($name in @($names | Select-Object -First 20)) { $found[$name] = Hide-Secrets ([string]$key.GetValue($name)) }
        return @{ entries = $found; more = ($names.Count -gt 20) }
    }

    function Find-InstalledVersions {
        param($pattern)
        foreach ($branch in @('', 'Wow6432Node\')) {
            $root = Open-RegistryKey ('SOFTWARE\' + $branch + 'Microsoft\Windows\CurrentVersion\Uninstall')
            if ($null -eq $root) { continue }
            foreach ($name in @($root.GetSubKeyNames())) {
                $key = $root.OpenSubKey($name)
                if ($null -ne $key -and [string]$key.GetValue('DisplayName') -match $pattern) {
                    [string]$key.GetValue('DisplayVersion')
                }
            }
        }
    }

    # --- Network ---------------------------------------------------------------------------------------------------

    function Get-SocketWord {
        param($failure)
        while ($null -ne $failure) {
            if ($failure -is [System.Net.Sockets.SocketException]) {
                switch ([int]$failure.ErrorCode) {
                    10061 {
                        return 'refused'
                    }
                    10060 {
                        return 'timeout'
                    }
                    10051 {
                        return 'no_route'
                    }
                    10065 {
                        return 'no_route'
                    }
                }
                if ([int]$failure.ErrorCode -ge 11001 -and [int]$failure.ErrorCode -le 11004) { return 'dns' }
                return 'error'
            }
            $failure = $failure.InnerException
        }
        return 'error'
    }

    function Test-Tcp {
        param($address, $port)
        $client = New-Object System.Net.Sockets.TcpClient
        try {
            $waiting = $client.BeginConnect($address, $port, $null, $null)
            if (-not $waiting.AsyncWaitHandle.WaitOne(3000)) { return 'timeout' }
            $client.EndConnect($waiting)
            return 'ok'
        } catch {
            return Get-SocketWord $_.Exception
        } finally {
            $client.Close()
        }
    }

    function Test-Name {
        param($name)
        try {
            $waiting = [System.Net.Dns]::BeginGetHostAddresses($name, $null, $null)
            if (-not $waiting.AsyncWaitHandle.WaitOne(4000)) { return 'timeout' }
            [void][System.Net.Dns]::EndGetHostAddresses($waiting)
            return 'ok'
        } catch {
            return 'dns'
        }
    }

    function Get-HttpAnswer {
        param($url, $header)
        $answer = @{ word = 'error'; date = $null; body = $null }
        try {
            $request = [System.Net.WebRequest]::Create($url)
            $request.Proxy = $null
            $request.Timeout = 4000
            foreach ($name in @($header.Keys)) { $request.Headers.Add($name, $header[$name]) }
            $response = $request.GetResponse()
            $answer.word = 'ok'
            $answer.date = $response.Headers['Date']
            $reader = New-Object System.IO.StreamReader($response.GetResponseStream())
            $answer.body = $reader.ReadToEnd()
            $response.Close()
        } catch {
            $failure = $_.Exception
            while ($null -ne $failure -and $failure -isnot [System.Net.WebException]) { $failure = $failure.InnerException }
            if ($null -ne $failure -and $null -ne $failure.Response) {
                $answer.date = $failure.Response.Headers['Date']
            } elseif ($null -ne $failure -and [string]$failure.Status -eq 'Timeout') {
                $answer.word = 'timeout'
            } else {
                $answer.word = Get-SocketWord $_.Exception
            }
        }
        return $answer
    }

    function Get-WireServerAnswer {
        return Get-HttpAnswer 'http://168.63.129.16/?comp=versions' @{ 'x-ms-version' = '2012-11-30' }
    }

    function Get-ImdsAnswer {
        $url = 'http://169.254.169.254/metadata/instance/compute/vmId?api-version=2021-02-01&format=text'
        return Get-HttpAnswer $url @{ 'Metadata' = 'true' }
    }

    function Get-StorageHost {
        $files = @(Get-ChildItem -LiteralPath 'C:\WindowsAzure\Config' -Filter '*.xml' -ErrorAction SilentlyContinue)
        foreach ($file in @($files | Sort-Object -Property LastWriteTime -Descending | Select-Object -First 5)) {
            # The agent may just be writing it.
            try { $text = Read-Tail $file.FullName 524288 } catch { continue }
            $found = [regex]::Match($text, 'https://([a-z0-9.-]+\.blob\.[a-z0-9.-]+)')
            if ($found.Success) { return $found.Groups[1].Value }
        }
        return $null
    }

    function Hide-Credentials {
        param($text)
        return $text -replace '//[^/@\s]*@', '//' -replace '(^|[;=])[^/@\s;=]+:[^/@\s;]+@', '$1'
    }

    # A signature in the query of an address is a secret.
    function Hide-Secrets {
        param($text)
        $text = (Hide-Credentials $text) -replace '(https?://[^\s?"'']*)\?[^\s"'']*', '$1?***'
        $text = $text -replace '(?i)\b(sig|[a-z]*(?:password|passwd|secret|token|key|signature|authorization))(["'' ]*[:=]["'' ]*)[^\s&,;"'']*', '$1$2***'
        return $text -replace '(?i)(bearer ).*', '$1***' -replace 'eyJ[\w-]*\.[\w.-]*', '***'
    }

    function Get-Stamp {
        param($time)
        # Without a culture the separators and the calendar would be those of the system.
        return $time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', [System.Globalization.CultureInfo]::InvariantCulture)
    }

    function Get-Proxies {
        $settings = 'Microsoft\Windows\CurrentVersion\Internet Settings'
        $winHttp = Read-RegistryValue "SOFTWARE\$settings\Connections" 'WinHttpSettings'
        if ($null -ne $winHttp -and $winHttp.Length -gt 16 -and ($winHttp[8] -band 2)) {
            $length = [System.Math]::Min([System.BitConverter]::ToInt32($winHttp, 12), $winHttp.Length - 16)
            if ($length -gt 0) {
                $value = [System.Text.Encoding]::ASCII.GetString($winHttp, 16, $length)
                @{ where = 'WinHTTP'; value = (Hide-Credentials $value) }
            }
        }
        $policy = Read-RegistryText "SOFTWARE\Policies\$settings" 'ProxyServer'
        if ($policy) { @{ where = 'policy ProxyServer'; value = (Hide-Credentials $policy) } }
        $system = [Microsoft.Win32.Registry]::Users.OpenSubKey("S-1-5-18\SOFTWARE\$settings")
        if ($null -ne $system -and $system.GetValue('ProxyEnable') -eq 1 -and $system.GetValue('ProxyServer')) {
            @{ where = 'LocalSystem ProxyServer'; value = (Hide-Credentials ([string]$system.GetValue('ProxyServer'))) }
        }
        foreach ($name in @('http_proxy', 'https_proxy')) {
            $value = [System.Environment]::GetEnvironmentVariable($name, 'Machine')
            if ($value) { @{ where = "environment $name"; value = (Hide-Credentials $value) } }
        }
    }

    function Get-NetworkFacts {
        $facts = @{
            wireserver_80 = Test-Tcp '168.63.129.16' 80
            wireserver_32526 = Test-Tcp '168.63.129.16' 32526
            wireserver_http = (Get-WireServerAnswer).word
            imds = Test-Tcp '169.254.169.254' 80
        }
        $own = Get-StorageHost
        $name = $own
        if (-not $own) { $name = 'zrdfepirv2cbz06prdstr01a.blob.core.windows.net' }
        $facts.dns = Test-Name $name
        $facts.storage_443 = $null
        if ($facts.dns -eq 'ok') {
            $facts.storage_443 = Test-Tcp $name 443
        } elseif ($own) {
            $facts.storage_443 = 'dns'
        } else {
            # That account may be unknown to this cloud: only when no other name resolves either is DNS at fault.
            $facts.dns = Test-Name 'management.azure.com'
        }
        try { $facts.proxies = @(Get-Proxies) } catch { $facts.proxies = $null }
        $facts.cut = @()
        return $facts
    }

    function Get-ClockFacts {
        $answer = Get-WireServerAnswer
        if (-not $answer.date) { $answer = Get-ImdsAnswer }
        if (-not $answer.date) { return $null }
        $style = [System.Globalization.DateTimeStyles]'AssumeUniversal, AdjustToUniversal'
        $azure = [datetime]::Parse($answer.date, [System.Globalization.CultureInfo]::InvariantCulture, $style)
        return @{ skew_s = [double]([datetime]::UtcNow - $azure).TotalSeconds; synchronized = $null }
    }

    # --- Agent -----------------------------------------------------------------------------------------------------

    function Get-ProgramOf {
        param($path)
        if (-not $path) { return $null }
        $path = $path -replace '^\\\?\?\\', '' -replace '^\\SystemRoot\\', "$env:SystemRoot\"
        if ($path -match '^system32\\') { $path = "$env:SystemRoot\$path" }
        $found = [regex]::Match($path, '^"([^"]+)"|^(.+?\.exe)(\s|$)', 'IgnoreCase')
        if (-not $found.Success) { return $null }
        return [string]($found.Groups[1].Value + $found.Groups[2].Value)
    }

    function Get-ServiceFacts {
        $starts = @{ 0 = 'Boot'; 1 = 'System'; 2 = 'Automatic'; 3 = 'Manual'; 4 = 'Disabled' }
        $names = 'RdAgent', 'WindowsAzureGuestAgent', 'Winmgmt', 'KeyIso', 'IaaSVmProvider', 'VSS', 'COMSysApp', 'MSDTC', 'SQLWriter'
        $facts = @{}
        foreach ($name in @($names)) {
            $entry = @{ exists = $false; state = $null; start = $null; path_ok = $null; account = $null }
            $key = Open-RegistryKey "SYSTEM\CurrentControlSet\Services\$name"
            if ($null -ne $key) {
                $entry.exists = $true
                $start = $key.GetValue('Start')
                if ($null -ne $start) { $entry.start = $starts[[int]$start] }
                $program = Get-ProgramOf ([string]$key.GetValue('ImagePath'))
                if ($program) { $entry.path_ok = [System.IO.File]::Exists($program) }
                if ($name -eq 'MSDTC' -or $name -eq 'COMSysApp') { $entry.account = [string]$key.GetValue('ObjectName') }
                try { $entry.state = [string](Get-Service -Name $name -ErrorAction Stop).Status } catch { $entry.state = $null }
            }
            $facts[$name] = $entry
        }
        return $facts
    }

    function Get-AgeSeconds {
        param($text)
        $style = [System.Globalization.DateTimeStyles]'AssumeUniversal, AdjustToUniversal'
        $then = [datetime]::MinValue
        if (-not [datetime]::TryParse($text, [System.Globalization.CultureInfo]::InvariantCulture, $style, [ref]$then)) { return $null }
        return [double]([datetime]::UtcNow - $then).TotalSeconds
    }

    function Get-WindowsAgentFacts {
        $guest = 'SOFTWARE\Microsoft\Virtual Machine\Guest'
        $msi = @(Find-InstalledVersions '^Windows Azure VM Agent')
        $facts = @{ msi_installed = ($msi.Count -gt 0); msi_version = ($msi | Select-Object -First 1) }
        $facts.version = Read-RegistryText $guest 'GuestAgentVersion'
        $facts.status = Read-RegistryText $guest 'GuestAgentStatus'
        $facts.wireserver_status = Read-RegistryText $guest 'WireServerStatus'
        $facts.dhcp_status = Read-RegistryText $guest 'DHCPStatus'
        $facts.fabric_address_time = Read-RegistryText $guest 'DhcpWithFabricAddressTime'
        $facts.dotnet_present = Read-RegistryText $guest 'RequiredDotNetVersionPresent'
        $facts.started_at = Read-RegistryText $guest 'GuestAgentStartTime'
        $facts.heartbeat_at = Read-RegistryText 'SOFTWARE\Microsoft\GuestAgent' 'HeartbeatLastStatusUpdateTime'
        $facts.heartbeat_age_s = $null
        if ($facts.heartbeat_at) { $facts.heartbeat_age_s = Get-AgeSeconds $facts.heartbeat_at }
        $running = @(Get-Process -Name 'WaAppAgent', 'WindowsAzureGuestAgent' -ErrorAction SilentlyContinue)
        $facts.processes = @($running | ForEach-Object { [string]$_.ProcessName } | Sort-Object -Unique)
        $config = "$env:SystemRoot\Microsoft.NET\Framework64\v4.0.30319\Config\machine.config"
        $facts.wcf_debugging = $null
        if ([System.IO.File]::Exists($config)) { $facts.wcf_debugging = [System.IO.File]::ReadAllText($config).Contains('ServiceModelSink') }
        return $facts
    }

    function Get-DotNetFacts {
        $release = Read-RegistryValue 'SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' 'Release'
        if ($null -eq $release) { $release = 0 }
        return @{ release = [int]$release }
    }

    function Get-DhcpFacts {
        $nics = @()
        $gateways = 0
        foreach ($nic in @([System.Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces())) {
            if ([string]$nic.OperationalStatus -ne 'Up') { continue }
            if ([string]$nic.NetworkInterfaceType -eq 'Loopback' -or [string]$nic.NetworkInterfaceType -eq 'Tunnel') { continue }
            $properties = $nic.GetIPProperties()
            $dhcp = $null
            try { $dhcp = [bool]$properties.GetIPv4Properties().IsDhcpEnabled } catch { continue }
            $addresses = @($properties.UnicastAddresses | Where-Object { [string]$_.Address.AddressFamily -eq 'InterNetwork' })
            $ways = @($properties.GatewayAddresses | Where-Object { [string]$_.Address.AddressFamily -eq 'InterNetwork' })
            if ($ways.Count -gt 0) { $gateways += 1 }
            $nics += @{ name = [string]$nic.Name; primary = ($ways.Count -gt 0); dhcp = $dhcp; addresses = $addresses.Count }
        }
        if ($gateways -ne 1) { foreach ($entry in @($nics)) { $entry.primary = $null } }
        return @{ nics = $nics }
    }

    function Get-CertificateFacts {
        $store = New-Object System.Security.Cryptography.X509Certificates.X509Store('My', 'LocalMachine')
        $store.Open([System.Security.Cryptography.X509Certificates.OpenFlags]'ReadOnly, OpenExistingOnly')
        try {
            $found = @($store.Certificates | Where-Object { $_.FriendlyName -eq 'TenantEncryptionCert' } | Sort-Object -Property NotAfter)
            $facts = @{ tenant_present = ($found.Count -gt 0); tenant_valid = $null; tenant_expires = $null }
            if ($found.Count -gt 0) {
                $newest = $found[$found.Count - 1]
                $now = [datetime]::Now
                $facts.tenant_valid = ($newest.NotBefore -le $now -and $newest.NotAfter -ge $now)
                $facts.tenant_expires = Get-Stamp $newest.NotAfter
            }
            return $facts
        } finally {
            $store.Close()
        }
    }

    # --- Backup extension ------------------------------------------------------------------------------------------

    function Get-ExtensionVersions {
        $root = 'C:\Packages\Plugins\Microsoft.Azure.RecoveryServices.VMSnapshot'
        if (-not (Test-Path -LiteralPath $root)) { return }
        Get-ChildItem -LiteralPath $root | Where-Object { $_.PSIsContainer -and $_.Name -match '^\d+(\.\d+){1,3}$' } |
            ForEach-Object { [string]$_.Name } | Sort-Object -Property { [version]$_ }
    }

    # PowerShell 2 has no ConvertFrom-Json, but .NET 3.5 brings a reader of its own; newer ones lack that.
    function Read-Json {
        param($text)
        if (Get-Command -Name 'ConvertFrom-Json' -ErrorAction SilentlyContinue) { return ConvertFrom-Json $text }
        [void][System.Reflection.Assembly]::LoadWithPartialName('System.Web.Extensions')
        $reader = New-Object System.Web.Script.Serialization.JavaScriptSerializer
        return $reader.DeserializeObject($text)
    }

    function Get-ExtensionFacts {
        $name = 'Microsoft.Azure.RecoveryServices.VMSnapshot'
        $versions = @(Get-ExtensionVersions)
        $facts = @{ name = $name; versions = $versions; newest = $null; status = $null; code = $null; message = $null }
        $facts.operation = $null
        $facts.seq = $null
        $facts.at = $null
        $facts.cut = @()
        if ($versions.Count -eq 0) { return $facts }
        $facts.newest = $versions[$versions.Count - 1]
        if ($versions.Count -gt 8) {
            $facts.versions = @($versions | Select-Object -Last 8)
            $facts.cut = @('versions')
        }
        $folder = "C:\Packages\Plugins\$name\" + $facts.newest + '\Status'
        if (-not (Test-Path -LiteralPath $folder)) { return $facts }
        $file = Get-ChildItem -LiteralPath $folder -Filter '*.status' | Where-Object { $_.BaseName -match '^\d+$' } |
            Sort-Object -Property { [int]$_.BaseName } | Select-Object -Last 1
        if ($null -eq $file) { return $facts }
        $facts.seq = [int]$file.BaseName
        $facts.at = Get-Stamp $file.LastWriteTime
        $report = @(Read-Json (Read-Tail $file.FullName 1048576))[0]
        if ($report -is [array]) { $report = $report[0] }
        $facts.status = [string]$report.status.status
        if ($null -ne $report.status.code) { $facts.code = [long]$report.status.code }
        $facts.operation = [string]$report.status.operation
        $facts.message = Hide-Secrets ([string]$report.status.formattedMessage.message)
        return $facts
    }

    function Get-ExtensionStateFacts {
        $name = 'Microsoft.Azure.RecoveryServices.VMSnapshot'
        $handlers = @()
        foreach ($root in @('SOFTWARE\Microsoft\Windows Azure\HandlerState', 'SOFTWARE\Microsoft\WindowsAzure\HandlerState')) {
            $key = Open-RegistryKey $root
            if ($null -eq $key) { continue }
            foreach ($sub in @($key.GetSubKeyNames() | Where-Object { $_ -like "$($name)_*" })) {
                $state = [string]$key.OpenSubKey($sub).GetValue('HandlerState')
                $folder = "C:\Packages\Plugins\$name\" + $sub.Substring($name.Length + 1)
                $handlers += @{ name = [string]$sub; state = $state; folder = [bool](Test-Path -LiteralPath $folder) }
            }
        }
        $facts = @{ handlers = $handlers; cut = @() }
        if ($handlers.Count -gt 12) {
            $facts.handlers = @($handlers | Select-Object -Last 12)
            $facts.cut = @('handlers')
        }
        return $facts
    }

    function ConvertFrom-WriterList {
        param($text)
        $writers = @()
        $current = $null
        $wantsError = $false
        foreach ($line in @($text -split '\r?\n')) {
            # The words, the colon and the quotation marks are those of Windows' language.
            if ($line -match '^\S[^:\uFF1A]*[:\uFF1A]\s*[^\w\s](.+)[^\w\s]\s*$') {
                $current = @{ name = $Matches[1].Trim(); code = $null; state = $null; error = $null }
                $writers += $current
                $wantsError = $false
            } elseif ($null -ne $current -and $line -match '\[(\d+)\]\s*(.*?)\s*$') {
                $current.code = [int]$Matches[1]
                $current.state = $Matches[2]
                $wantsError = $true
            } elseif ($wantsError -and $line -match '^\s+[^:]*:\s*(.*?)\s*$') {
                $current.error = $Matches[1]
                $wantsError = $false
            }
        }
        return $writers
    }

    function Get-VssFacts {
        $start = New-Object System.Diagnostics.ProcessStartInfo
        $start.FileName = "$env:SystemRoot\System32\vssadmin.exe"
        $start.Arguments = 'list writers'
        $start.UseShellExecute = $false
        $start.CreateNoWindow = $true
        $start.RedirectStandardOutput = $true
        $process = [System.Diagnostics.Process]::Start($start)
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        # Read in pieces with a limit each: .NET 3.5 cannot read to the end in the background.
        $pipe = $process.StandardOutput.BaseStream
        $buffer = New-Object byte[] 262144
        $used = 0
        $ended = $false
        while (-not $ended -and $used -lt $buffer.Length) {
            $left = 45000 - [int]$watch.ElapsedMilliseconds
            if ($left -le 0) { break }
            $waiting = $pipe.BeginRead($buffer, $used, $buffer.Length - $used, $null, $null)
            if (-not $waiting.AsyncWaitHandle.WaitOne($left)) { break }
            $count = $pipe.EndRead($waiting)
            $used += $count
            $ended = ($count -eq 0)
        }
        if (-not $ended -or -not $process.WaitForExit(5000)) {
            # Only this one listing that we started ourselves, never a service.
            $process.Kill()
            return @{ writers = $null; timed_out = $true }
        }
        $writers = @(ConvertFrom-WriterList ($process.StandardOutput.CurrentEncoding.GetString($buffer, 0, $used)))
        if ($process.ExitCode -ne 0) { $writers = $null }
        return @{ writers = $writers; timed_out = $false }
    }

    function Get-SqlFacts {
        $found = @(Get-Service -ErrorAction SilentlyContinue | Where-Object { $_.Name -match '^(MSSQLSERVER|MSSQL\$.+|SQLWriter)$' })
        $facts = @{ cut = @() }
        $services = @($found | ForEach-Object { @{ name = [string]$_.Name; state = [string]$_.Status } })
        $facts.services = @($services | Select-Object -First 12)
        if ($services.Count -gt 12) { $facts.cut += 'services' }
        $values = Read-RegistryValues 'SOFTWARE\Microsoft\BcdrAgent'
        $facts.use_vss_copy_backup = ([string]$values.entries['USEVSSCOPYBACKUP'] -eq 'TRUE')
        $facts.bcdr_agent = $values.entries
        if ($values.more) {
            $facts.cut += 'bcdr_agent'
            if (-not $facts.use_vss_copy_backup) { $facts.use_vss_copy_backup = $null }
        }
        $values = Read-RegistryValues 'SOFTWARE\Microsoft\BcdrAgentPersistentKeys'
        $facts.bcdr_agent_persistent = $values.entries
        if ($values.more) { $facts.cut += 'bcdr_agent_persistent' }
        return $facts
    }

    function Get-TlsFacts {
        $keys = @{}
        foreach ($version in @('v4.0.30319', 'v2.0.50727')) {
            foreach ($branch in @('', 'Wow6432Node ')) {
                $path = 'SOFTWARE\' + $branch.Replace(' ', '\') + "Microsoft\.NETFramework\$version"
                $value = Read-RegistryValue $path 'SchUseStrongCrypto'
                if ($null -ne $value) { $value = [int]$value }
                $keys["$branch$version"] = $value
            }
        }
        $client = 'SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client'
        $enabled = Read-RegistryValue $client 'Enabled'
        $off = Read-RegistryValue $client 'DisabledByDefault'
        $word = 'default'
        if ($null -ne $enabled) { $word = 'enabled' }
        if (($null -ne $enabled -and [int]$enabled -eq 0) -or ($null -ne $off -and [int]$off -ne 0)) { $word = 'disabled' }
        return @{ strong_crypto = $keys; tls12_client = $word }
    }

    function Get-VcFacts {
        $versions = @(Find-InstalledVersions 'Visual C\+\+ 2013 x64 Minimum Runtime' | Sort-Object -Unique)
        $start = Read-RegistryValue 'SYSTEM\CurrentControlSet\Services\msiserver' 'Start'
        if ($null -ne $start) { $start = [int]$start }
        return @{ versions = $versions; msiserver_start = $start }
    }

    function Get-MachineKeysFacts {
        $acl = Get-Acl -Path "$env:ProgramData\Microsoft\Crypto\RSA\MachineKeys"
        $wanted = @{ 'S-1-1-0' = @('Everyone', 'Read, Write'); 'S-1-5-32-544' = @('Administrators', 'FullControl') }
        $missing = @()
        foreach ($sid in @($wanted.Keys)) {
            $needed = [int][System.Security.AccessControl.FileSystemRights]$wanted[$sid][1]
            $given = 0
            foreach ($rule in @($acl.GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier]))) {
                if ([string]$rule.IdentityReference -ne $sid) { continue }
                if ([string]$rule.AccessControlType -eq 'Allow') {
                    $given = $given -bor [int]$rule.FileSystemRights
                } else {
                    $missing += $wanted[$sid][0] + ': denied ' + [string]$rule.FileSystemRights
                }
            }
            if (($given -band $needed) -ne $needed) { $missing += $wanted[$sid][0] + ': ' + $wanted[$sid][1] }
        }
        return @{ acl_ok = ($missing.Count -eq 0); missing = $missing }
    }

    # --- Disks, event logs, log files ------------------------------------------------------------------------------

    function Get-DiskFacts {
        $drives = @([System.IO.DriveInfo]::GetDrives() | Where-Object { [string]$_.DriveType -eq 'Fixed' -and $_.IsReady })
        $systems = @()
        $cut = @()
        if ($drives.Count -gt 12) { $cut = @('filesystems') }
        $drives = @($drives | Sort-Object -Property { [string]($_.Name -ne "$env:SystemDrive\") + $_.Name } | Select-Object -First 12)
        foreach ($drive in @($drives)) {
            $size = [long][System.Math]::Floor($drive.TotalSize / 1048576)
            $free = [long][System.Math]::Floor($drive.TotalFreeSpace / 1048576)
            $systems += @{ mount = $drive.Name.TrimEnd('\'); size_mb = $size; free_mb = $free; free_inodes_pct = $null }
        }
        return @{ filesystems = $systems; cut = $cut }
    }

    # Of each log the newest 300 events that may concern us; "more" where that was not all of them.
    function Find-Events {
        param($log, $ids, $days)
        $filter = @{ LogName = $log; Id = $ids; StartTime = [datetime]::Now.AddDays(-$days) }
        $records = @()
        try {
            $records = @(Get-WinEvent -FilterHashtable $filter -MaxEvents 301)
        } catch {
            # "No events" and "no such log" are answers; anything else is not.
            if ($_.FullyQualifiedErrorId -notmatch '^(NoMatchingEventsFound|NoMatchingLogsFound)') { throw }
        }
        return @{ records = @($records | Select-Object -First 300); more = ($records.Count -gt 300) }
    }

    # Events of one kind are counted; a list of pairs, because the first ones are the newest.
    function Add-Event {
        param($groups, $id, $entry, $time)
        foreach ($group in @($groups)) {
            if ($group.id -eq $id) {
                $group.entry.count += 1
                return
            }
        }
        $entry.count = 1
        $entry.last = Get-Stamp $time
        [void]$groups.Add(@{ id = $id; entry = $entry })
    }

    function Get-ApplicationControlFacts {
        $groups = New-Object System.Collections.ArrayList
        $cut = @()
        $logs = @(
            @{ log = 'Microsoft-Windows-AppLocker/EXE and DLL'; ids = @(8004) },
            @{ log = 'Microsoft-Windows-AppLocker/MSI and Script'; ids = @(8007) },
            @{ log = 'Microsoft-Windows-CodeIntegrity/Operational'; ids = @(3077) },
            @{ log = 'Microsoft-Windows-Windows Defender/Operational'; ids = @(1116, 1117, 1121) }
        )
        foreach ($source in @($logs)) {
            $found = Find-Events $source.log $source.ids 30
            if ($found.more) { $cut = @('blocked') }
            foreach ($record in @($found.records)) {
                $ours = [regex]::Match($record.ToXml(), 'IaaSBcdrExtension|RecoveryServices\.VMSnapshot|WaAppAgent|WindowsAzureGuestAgent', 'IgnoreCase')
                if (-not $ours.Success) { continue }
                $entry = @{ source = $source.log; event_id = [int]$record.Id; program = $ours.Value; count = 0; last = $null }
                Add-Event $groups "$($source.log) $($record.Id) $($ours.Value)" $entry $record.TimeCreated
            }
        }
        if ($groups.Count -gt 8) { $cut = @('blocked') }
        $antivirus = @()
        try {
            $asked = New-Object System.Management.ManagementObjectSearcher('root\SecurityCenter2', 'SELECT displayName FROM AntiVirusProduct')
            $asked.Options.Timeout = [timespan]::FromSeconds(5)
            $antivirus = @($asked.Get() | ForEach-Object { [string]$_['displayName'] })
        } catch {
            # Windows Server has no security center; its own antivirus is a service.
            $defender = Get-Service -Name 'WinDefend' -ErrorAction SilentlyContinue
            if ($null -ne $defender -and [string]$defender.Status -eq 'Running') { $antivirus = @('Microsoft Defender') }
        }
        $blocked = @($groups | Select-Object -First 8 | ForEach-Object { $_.entry })
        return @{ blocked = $blocked; antivirus = $antivirus; cut = $cut }
    }

    function Get-CrashFacts {
        $ours = 'RdAgent|WaAppAgent|Windows ?Azure ?Guest ?Agent|IaaSVmProvider|IaaSBcdr|Volume Shadow|VSSVC|COM\+ System|Distributed Transaction|msdtc'
        $groups = New-Object System.Collections.ArrayList
        $cut = @()
        $sources = @(
            @{ kind = 'service'; log = 'System'; ids = @(7031, 7034) },
            @{ kind = 'program'; log = 'Application'; ids = @(1000) },
            @{ kind = 'dotnet'; log = 'Application'; ids = @(1026) }
        )
        foreach ($source in @($sources)) {
            $found = Find-Events $source.log $source.ids 7
            if ($found.more) { $cut = @('events') }
            foreach ($record in @($found.records)) {
                $words = @($record.Properties | ForEach-Object { [string]$_.Value })
                if ($words.Count -eq 0 -or $words[0] -notmatch $ours) { continue }
                $name = $words[0]
                $detail = $null
                if ($source.kind -eq 'program' -and $words.Count -gt 6) { $detail = $words[6] }
                if ($source.kind -eq 'dotnet') {
                    # The words around these are in Windows' language.
                    $name = [regex]::Match($words[0], '\S+\.exe').Value
                    $detail = [regex]::Match($words[0], '[\w.]+Exception\b').Value
                    if ($name -notmatch $ours) { continue }
                }
                $entry = @{ kind = $source.kind; name = $name; count = 0; last = $null; detail = $detail }
                Add-Event $groups "$($source.kind) $name $detail" $entry $record.TimeCreated
            }
        }
        if ($groups.Count -gt 8) { $cut = @('events') }
        return @{ days = 7; events = @($groups | Select-Object -First 8 | ForEach-Object { $_.entry }); cut = $cut }
    }

    function Read-Tail {
        param($path, $bytes)
        $stream = New-Object System.IO.FileStream($path, 'Open', 'Read', 'ReadWrite, Delete')
        try {
            if ($stream.Length -gt $bytes) { [void]$stream.Seek(-$bytes, 'End') }
            $reader = New-Object System.IO.StreamReader($stream)
            return $reader.ReadToEnd()
        } finally {
            $stream.Close()
        }
    }

    # Lines that mean something. Regular expressions; those of signatures.yaml: tests/renew_pattern_tables.py writes them here.
    function Get-KnownLines {
        $known = @{
            rdcrypt_failed = 'RdCrypt Initialization failed'
            certificate_import_failed = 'PFXImportCertStore failed|Failed to import (the )?certificate'
            hostgaplugin_failed = 'Exception while fetching supported versions from HostGAPlugin'
            hostgaplugin_not_ready = 'HostGAPluginServiceClient is not initialized'
            firewall_forbids = 'forbidden by its access permissions'
            service_stuck = 'WindowsAzureGuestAgent could not be stopped'
            agent_error_state = 'Error state triggered'
            dhcp_empty = 'Empty DHCP option data returned'
            no_fabric_address = 'Did not discover fabric address on interface'
        }
        return $known
    }

    # The end of each log, with its name.
    function Read-Logs {
        $files = @('C:\WindowsAzure\Logs\WaAppAgent.log', 'C:\WindowsAzure\Logs\TransparentInstaller.log')
        $versions = @(Get-ExtensionVersions)
        if ($versions.Count -gt 0) {
            $folder = 'C:\WindowsAzure\Logs\Plugins\Microsoft.Azure.RecoveryServices.VMSnapshot\' + $versions[$versions.Count - 1]
            $newest = Get-ChildItem -LiteralPath $folder -Filter '*.log' -ErrorAction SilentlyContinue |
                Sort-Object -Property LastWriteTime | Select-Object -Last 1
            if ($null -ne $newest) { $files += $newest.FullName }
        }
        foreach ($file in @($files)) {
            if (-not [System.IO.File]::Exists($file)) { continue }
            @{ name = [System.IO.Path]::GetFileName($file); text = (Read-Tail $file 262144) }
        }
    }

    # The first time in a text; the agent writes month, day and year, or ISO 8601, always UTC.
    function Find-Time {
        param($text)
        $found = [regex]::Match($text, '\d{2,4}[-/]\d\d[-/]\d{2,4}[T ]\d\d:\d\d:\d\d')
        $style = [System.Globalization.DateTimeStyles]'AssumeUniversal, AdjustToUniversal'
        $time = [datetime]::MinValue
        if (-not $found.Success) { return $null }
        if (-not [datetime]::TryParse($found.Value, [System.Globalization.CultureInfo]::InvariantCulture, $style, [ref]$time)) { return $null }
        return Get-Stamp $time
    }

    function Get-LogFacts {
        $known = Get-KnownLines
        $facts = @{ patterns = @{}; since = @{} }
        $logs = @(Read-Logs)
        if ($logs.Count -eq 0) { return $null }
        foreach ($log in @($logs)) {
            $facts.since[$log.name] = Find-Time ($log.text.Substring(0, [System.Math]::Min(4096, $log.text.Length)))
            foreach ($id in @($known.Keys)) {
                $hits = [regex]::Matches($log.text, $known[$id])
                if ($hits.Count -eq 0) { continue }
                $at = $hits[$hits.Count - 1].Index
                $line = $log.text.Substring($log.text.LastIndexOf("`n", $at) + 1)
                if (-not $facts.patterns.ContainsKey($id)) { $facts.patterns[$id] = @{ count = 0; last = $null } }
                $facts.patterns[$id].count += $hits.Count
                $time = Find-Time ($line.Substring(0, [System.Math]::Min(80, $line.Length)))
                if ($time) { $facts.patterns[$id].last = $time }
            }
        }
        return $facts
    }

    # The last three different lines of each log that report an error or a warning and that nobody knows.
    function Get-LogLineFacts {
        $patterns = @((Get-KnownLines).Values)
        $known = '(' + ($patterns -join ')|(') + ')'
        $lines = @()
        foreach ($log in @(Read-Logs)) {
            $seen = @()
            $rows = @($log.text -split '\r?\n')
            for ($at = $rows.Count - 1; $at -ge 0 -and $seen.Count -lt 3; $at--) {
                $row = $rows[$at]
                if ($row -cnotmatch 'ERROR|WARN|FATAL|CRIT|Error|Exception|[Ff]ail(ed|ure)|denied' -or $row -match $known) { continue }
                $words = $row -replace '^[\[\]\d/:.TZ -]*', ''
                $key = $words -replace '\d+', '#'
                if ($seen -contains $key) { continue }
                $seen += $key
                $text = Hide-Secrets $words
                if ($text.Length -gt 150) { $text = $text.Substring(0, 147) + '...' }
                $lines += @{ log = $log.name; at = (Find-Time ($row.Substring(0, [System.Math]::Min(80, $row.Length)))); text = $text }
            }
        }
        return @{ lines = $lines; cut = @() }
    }

    # --- Every probe by itself, in a runspace of its own that is given up when it takes too long -------------------

    function Open-Worker {
        $state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
        foreach ($function in $functions) {
            $entry = New-Object System.Management.Automation.Runspaces.SessionStateFunctionEntry($function.Name, $function.Definition)
            $state.Commands.Add($entry)
        }
        $runspace = [System.Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($state)
        $runspace.Open()
        return $runspace
    }

    function Invoke-Bounded {
        param($name, $seconds)
        if ($null -eq $script:vmbackupWorker) { $script:vmbackupWorker = Open-Worker }
        $shell = [System.Management.Automation.PowerShell]::Create()
        $shell.Runspace = $script:vmbackupWorker
        [void]$shell.AddScript("`$ErrorActionPreference = 'Stop'; `$ProgressPreference = 'SilentlyContinue'; $name")
        $running = $shell.BeginInvoke()
        if (-not $running.AsyncWaitHandle.WaitOne($seconds * 1000)) {
            $script:vmbackupWorker = $null
            [void]$shell.BeginStop($null, $null)
            throw "did not end within $seconds s"
        }
        $results = $shell.EndInvoke($running)
        $shell.Dispose()
        if ($results.Count -eq 0 -or $null -eq $results[$results.Count - 1]) { return $null }
        return $results[$results.Count - 1].PSObject.BaseObject
    }

    # Both are lists of pairs, because a hash table has no order.
    function Get-Packed {
        param($header, $sections, $cut)
        $parts = @($header | ForEach-Object { '"' + $_[0] + '":' + (ConvertTo-JsonText $_[1]) })
        $facts = @($sections | ForEach-Object { '"' + $_.name + '":' + $_.json })
        $json = '{' + ($parts -join ',') + ',"cut":' + (ConvertTo-JsonText $cut) + ',"facts":{' + ($facts -join ',') + '}}'
        $bytes = [System.Text.Encoding]::ASCII.GetBytes($json)
        $memory = New-Object System.IO.MemoryStream
        $gzip = New-Object System.IO.Compression.GZipStream($memory, [System.IO.Compression.CompressionMode]::Compress)
        $gzip.Write($bytes, 0, $bytes.Length)
        $gzip.Close()
        return [System.Convert]::ToBase64String($memory.ToArray())
    }

    function Get-PrintedSize {
        param($packed)
        return $packed.Length + 2 * [System.Math]::Ceiling($packed.Length / 76) + 90
    }

    # Most important first: what does not fit is left out from the end, the lines of log_lines before all else.
    $probes = @(
        @{ name = 'services'; ask = 'Get-ServiceFacts' },
        @{ name = 'windows_agent'; ask = 'Get-WindowsAgentFacts' },
        @{ name = 'network'; ask = 'Get-NetworkFacts' },
        @{ name = 'extension'; ask = 'Get-ExtensionFacts' },
        @{ name = 'vss'; ask = 'Get-VssFacts' },
        @{ name = 'dotnet'; ask = 'Get-DotNetFacts' },
        @{ name = 'disk'; ask = 'Get-DiskFacts' },
        @{ name = 'sql'; ask = 'Get-SqlFacts' },
        @{ name = 'clock'; ask = 'Get-ClockFacts' },
        @{ name = 'crashes'; ask = 'Get-CrashFacts' },
        @{ name = 'application_control'; ask = 'Get-ApplicationControlFacts' },
        @{ name = 'logs'; ask = 'Get-LogFacts' },
        @{ name = 'windows_dhcp'; ask = 'Get-DhcpFacts' },
        @{ name = 'tls'; ask = 'Get-TlsFacts' },
        @{ name = 'vc_redistributable'; ask = 'Get-VcFacts' },
        @{ name = 'machine_keys'; ask = 'Get-MachineKeysFacts' },
        @{ name = 'extension_state'; ask = 'Get-ExtensionStateFacts' },
        @{ name = 'windows_certificates'; ask = 'Get-CertificateFacts' },
        @{ name = 'log_lines'; ask = 'Get-LogLineFacts' }
    )
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $script:vmbackupWorker = $null
    $functions = @(Get-ChildItem -Path 'function:' | Where-Object { $before -notcontains $_.Name })
    $errors = @()
    $lines = @()
    $answers = @()
    foreach ($probe in @($probes)) {
        if ($watch.Elapsed.TotalSeconds -gt 240) {
            $errors += $probe.name + ': not asked'
            continue
        }
        try {
            $facts = Invoke-Bounded $probe.ask 60
            if ($null -eq $facts) { throw 'no answer' }
            if ($probe.name -eq 'log_lines') { $lines = @($facts.lines) }
            $answers += @{ name = $probe.name; json = (ConvertTo-JsonText $facts) }
        } catch {
            $failure = $_.Exception
            while ($null -ne $failure.InnerException) { $failure = $failure.InnerException }
            $words = [string]$failure.Message
            if ($words.Length -gt 80) { $words = $words.Substring(0, 80) }
            $errors += $probe.name + ': ' + $words
        }
    }

    $vmId = $null
    try { $vmId = (Get-ImdsAnswer).body } catch { $vmId = $null }
    if ($vmId -notmatch '^[0-9A-Fa-f-]{36}$') {
        try { $vmId = Read-RegistryText 'SOFTWARE\Microsoft\Windows Azure' 'VmId' } catch { $vmId = $null }
    }
    if ($vmId) { $vmId = $vmId.ToLowerInvariant() } else { $vmId = $null }
    $principal = New-Object System.Security.Principal.WindowsPrincipal([System.Security.Principal.WindowsIdentity]::GetCurrent())
    $header = @(
        @('v', 1),
        @('script', 2),
        @('os', 'windows'),
        @('vm_id', $vmId),
        @('host', [System.Net.Dns]::GetHostName()),
        @('at', (Get-Stamp ([datetime]::UtcNow))),
        @('root', $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)),
        @('took_ms', [int]$watch.ElapsedMilliseconds),
        @('errors', @($errors | Select-Object -First 8))
    )
    # The lines that nobody knows go first, the last of each log after all others.
    while ($lines.Count -gt 0 -and (Get-PrintedSize (Get-Packed $header $answers @())) -gt $mostBytes) {
        $lines = @($lines | Select-Object -First ($lines.Count - 1))
        $json = ConvertTo-JsonText @{ lines = $lines; cut = @('lines') }
        $answers = @(@($answers | Where-Object { $_.name -ne 'log_lines' }) + @{ name = 'log_lines'; json = $json })
    }
    $sections = @()
    $cut = @()
    $names = @($probes | ForEach-Object { $_.name })
    foreach ($answer in @($answers)) {
        # The names of sections still to come may have to be listed as cut: their room is kept free.
        if ((Get-PrintedSize (Get-Packed $header ($sections + $answer) ($cut + $names))) -le $mostBytes) {
            $sections += $answer
        } else {
            $cut += $answer.name
        }
    }
    $packed = Get-Packed $header $sections $cut
    if ((Get-PrintedSize $packed) -gt $mostBytes) {
        Write-Output "vmbackup: the document is too large: $($packed.Length) characters, $mostBytes fit"
        return
    }
    $label = 'VMBACKUP ' + 'GUEST 1'
    Write-Output "-----BEGIN $label-----"
    for ($at = 0; $at -lt $packed.Length; $at += 76) {
        Write-Output ($packed.Substring($at, [System.Math]::Min(76, $packed.Length - $at)))
    }
    Write-Output "-----END $label $($packed.Length)-----"
}
